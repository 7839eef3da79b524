-- What a conversation keeps of its first turn: its access, its model, and what specs mark.
ALTER TABLE session ADD COLUMN kept TEXT;
