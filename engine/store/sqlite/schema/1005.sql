-- A call may run its program more than once. The row of a job has the attempt that runs, or
-- ran last; those of jobs that had more than one are here, each with what it used itself.
CREATE TABLE attempt(
  job_id             TEXT NOT NULL,
  n                  INTEGER NOT NULL, -- from 1
  cli                TEXT NOT NULL,
  cli_version        TEXT,
  model              TEXT,
  session_id         TEXT, -- the conversation that was asked for, as its CLI names it
  native_session_id  TEXT,
  outcome            TEXT NOT NULL,
  detail             TEXT,
  error_class        TEXT,
  error_message      TEXT,
  exit_code          INTEGER,
  signal             INTEGER,
  begun_ns           INTEGER NOT NULL,
  ended_ns           INTEGER NOT NULL,
  duration_ms        INTEGER,
  tries              INTEGER, -- of the program itself, where it tells of them
  effects            INTEGER, -- 1: it may have changed something
  next               TEXT,    -- what followed: 'retry', 'fallback', or why nothing did
  wait_ms            INTEGER, -- before the next attempt
  breaker            TEXT,    -- of its CLI or model when it ended
  input_tokens       INTEGER,
  output_tokens      INTEGER,
  cache_read_tokens  INTEGER,
  cache_write_tokens INTEGER,
  reasoning_tokens   INTEGER,
  cost_usd           REAL,
  PRIMARY KEY(job_id, n)
) STRICT;

ALTER TABLE job ADD COLUMN attempt  INTEGER; -- that runs, or ran last; NULL: the first
ALTER TABLE job ADD COLUMN begun_ns INTEGER; -- when that was started; NULL: with the row
ALTER TABLE job ADD COLUMN next_ns  INTEGER; -- when the next one may start: nothing of the job runs until then
ALTER TABLE job ADD COLUMN plan     TEXT;    -- who is asked next if this one fails, and what was tried
ALTER TABLE job ADD COLUMN asked    TEXT;    -- the CLI that was asked, where another one answers

CREATE INDEX job_next ON job(next_ns) WHERE next_ns IS NOT NULL AND state='live';

-- Whether calls go to a CLI or a model, as all gateways on this file see it. No row: they do.
CREATE TABLE breaker(
  key           TEXT PRIMARY KEY, -- CLI, or CLI/model
  state         TEXT NOT NULL CHECK(state IN ('closed','open','half_open')),
  failures      INTEGER NOT NULL, -- transient ones, without a success between them
  opened_ns     INTEGER,          -- when it opened last
  until_ns      INTEGER,          -- from then on one trial is let through
  trial         TEXT,             -- the job whose attempt is the trial
  error_class   TEXT,             -- of the last failure
  error_message TEXT,
  changed_ns    INTEGER NOT NULL
) STRICT;

CREATE VIEW breakers AS SELECT
  key, state, failures,
  strftime('%Y-%m-%dT%H:%M:%fZ', opened_ns / 1e9, 'unixepoch')  AS opened_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', until_ns / 1e9, 'unixepoch')   AS until,
  trial, error_class, error_message,
  strftime('%Y-%m-%dT%H:%M:%fZ', changed_ns / 1e9, 'unixepoch') AS changed_at
FROM breaker;
