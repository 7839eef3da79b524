-- What the figures of a row are about: NULL for its call, 'session' for the conversation up to
-- its end, where the program tells no others and the turns before are not known.
ALTER TABLE job ADD COLUMN usage_scope TEXT;
ALTER TABLE job ADD COLUMN cost_scope  TEXT;

-- The turns of a conversation, whose figures make the difference of the next one.
CREATE INDEX job_native ON job(native_session_id, id) WHERE native_session_id IS NOT NULL;

-- A view cannot be altered: this is that of before, with two columns more at the end.
DROP VIEW requests;
CREATE VIEW requests AS SELECT
  id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch')   AS ended_at,
  cli, cli_version, tool, mode, model,
  CASE WHEN state = 'live' AND wait_until_ns IS NOT NULL THEN 'waiting' ELSE state END AS state,
  outcome, error_class, error_message, exit_code,
  duration_ms, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd,
  session, session_id, native_session_id, correlation_id, parent_id,
  client_name, client_version, gateway_version, cwd, approval, args,
  prompt, response, response_bytes, principal, usage_scope, cost_scope
FROM job ORDER BY id DESC;
