-- Whose a row is. Until now all were those of the user of this machine, as are those that
-- gateways add which do not know the column.
ALTER TABLE job      ADD COLUMN principal TEXT NOT NULL DEFAULT 'local';
ALTER TABLE joined   ADD COLUMN principal TEXT NOT NULL DEFAULT 'local';
ALTER TABLE approval ADD COLUMN principal TEXT NOT NULL DEFAULT 'local';
ALTER TABLE session  ADD COLUMN principal TEXT NOT NULL DEFAULT 'local';

-- Each principal may have the same call under way, and an active session of a CLI. The
-- primary key of session stays: gateways of schema 1.0 insert by it, and a conversation of
-- a CLI belongs to one principal.
DROP INDEX job_live_dedup;
CREATE UNIQUE INDEX job_live_dedup ON job(dedup_key, principal) WHERE state='live' AND dedup_key IS NOT NULL;
DROP INDEX session_active;
CREATE UNIQUE INDEX session_active ON session(cli, principal) WHERE active = 1;
DROP INDEX session_used;
CREATE INDEX session_used ON session(principal, used_ns);

-- A view cannot be altered: these are those of before, with one column more at the end.
DROP VIEW requests;
CREATE VIEW requests AS SELECT
  id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch')   AS ended_at,
  cli, cli_version, tool, mode, model,
  state, outcome, error_class, error_message, exit_code,
  duration_ms, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd,
  session, session_id, native_session_id, correlation_id, parent_id,
  client_name, client_version, gateway_version, cwd, approval, args,
  prompt, response, response_bytes, principal
FROM job ORDER BY id DESC;

DROP VIEW joins;
CREATE VIEW joins AS SELECT
  job_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS joined_at,
  tool, correlation_id, parent_id, client_name, client_version, gateway_version, approval, principal
FROM joined ORDER BY created_ns DESC;

DROP VIEW approvals;
CREATE VIEW approvals AS SELECT
  id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS decided_at,
  cli, tool, strategy, policy, verdict, decided_by, answer, score, reasons, note,
  correlation_id, client_name, client_version, catalog_digest, principal
FROM approval ORDER BY id DESC;

DROP VIEW sessions;
CREATE VIEW sessions AS SELECT
  cli, id, native_id, active, begun, turns, description, cwd,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', used_ns / 1e9, 'unixepoch')    AS used_at,
  principal
FROM session ORDER BY used_ns DESC;
