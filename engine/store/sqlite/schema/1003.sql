-- A job that waits for a person is live, and has neither a directory nor an owner's process:
-- wait_until_ns is until when a person may decide. It is NULL for one that waits for nobody,
-- as soon as it is started, and in the rows of gateways that do not know the column.
ALTER TABLE job ADD COLUMN wait_until_ns INTEGER;
ALTER TABLE job ADD COLUMN holder TEXT;   -- the gateway that has its call, by the name of its lease
ALTER TABLE job ADD COLUMN question TEXT; -- that a person is asked
ALTER TABLE job ADD COLUMN released INTEGER; -- 1: approved, and not started yet

CREATE INDEX job_waiting ON job(wait_until_ns) WHERE wait_until_ns IS NOT NULL AND state='live';

-- A view cannot be altered: this is the one of before, which tells such jobs apart.
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
  prompt, response, response_bytes, principal
FROM job ORDER BY id DESC;
