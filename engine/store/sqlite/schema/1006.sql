-- The record outlives the jobs, and has a row of each call, also of those that no job was
-- accepted for: such a row is done from its beginning, and nobody shares it.
ALTER TABLE job ADD COLUMN refused          INTEGER; -- 1: no job was accepted, so nothing was run
ALTER TABLE job ADD COLUMN model_asked      TEXT;    -- by the caller, an alias perhaps
ALTER TABLE job ADD COLUMN model_resolved   TEXT;    -- that the program was given
ALTER TABLE job ADD COLUMN model_answered   TEXT;    -- as the program named it
ALTER TABLE job ADD COLUMN access           TEXT;    -- the level that the call counts as
ALTER TABLE job ADD COLUMN started_ns       INTEGER; -- when its program was started
ALTER TABLE job ADD COLUMN cost_estimated   INTEGER; -- 1: the cost is not what the program said
ALTER TABLE job ADD COLUMN warnings         TEXT;    -- a list
ALTER TABLE job ADD COLUMN texts_dropped_ns INTEGER; -- when what was asked and answered was removed

-- How far a work has come that is done from time to time: it has nothing to do with rows
-- whose ids are smaller.
CREATE TABLE upkeep(
  work TEXT PRIMARY KEY,
  upto TEXT NOT NULL
) STRICT;

-- Rows whose texts can be searched. The rows of job have no numbers that last.
CREATE TABLE searched(
  n      INTEGER PRIMARY KEY,
  job_id TEXT NOT NULL UNIQUE
) STRICT;

CREATE VIEW searched_text AS
SELECT s.n AS n, j.prompt AS prompt, j.response AS response FROM searched s JOIN job j ON j.id = s.job_id;

CREATE VIRTUAL TABLE search USING fts5(prompt, response, content='searched_text', content_rowid='n', tokenize='unicode61');

-- Whichever gateway removes a row or a text, of whichever version: the index forgets it, too.
-- The end of a job does not set the prompt, and does not come by here.
CREATE TRIGGER job_deleted BEFORE DELETE ON job BEGIN
  INSERT INTO search(search, rowid, prompt, response) SELECT 'delete', n, old.prompt, old.response FROM searched WHERE job_id = old.id;
  DELETE FROM searched WHERE job_id = old.id;
END;
CREATE TRIGGER job_texts_changed BEFORE UPDATE OF prompt ON job BEGIN
  INSERT INTO search(search, rowid, prompt, response) SELECT 'delete', n, old.prompt, old.response FROM searched WHERE job_id = old.id;
  DELETE FROM searched WHERE job_id = old.id;
END;

-- Each attempt of each call: those of a call with one are its row. None was made for a call that
-- was refused.
CREATE VIEW attempts AS
SELECT job_id, n,
  strftime('%Y-%m-%dT%H:%M:%fZ', begun_ns / 1e9, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch') AS ended_at,
  cli, cli_version, model, outcome, error_class, error_message, exit_code, duration_ms,
  tries, effects, next, wait_ms, breaker,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd,
  session_id, native_session_id
FROM attempt
UNION ALL
SELECT id, 1,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch'),
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch'),
  cli, cli_version, model, outcome, error_class, error_message, exit_code, duration_ms,
  NULL, NULL, NULL, NULL, NULL,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd,
  session_id, native_session_id
FROM job WHERE attempt IS NULL AND wait_until_ns IS NULL AND next_ns IS NULL AND refused IS NULL;

-- All that is known of each call, beside the view of before.
CREATE VIEW calls AS SELECT
  id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch')   AS ended_at,
  cli, cli_version, tool, mode,
  model_asked, model_resolved, model_answered, model, access,
  CASE WHEN state = 'live' AND wait_until_ns IS NOT NULL THEN 'waiting' ELSE state END AS state,
  CASE WHEN refused = 1 THEN 'refused' ELSE outcome END AS outcome,
  error_class, error_message, detail, exit_code, signal,
  duration_ms,
  (started_ns - coalesce(begun_ns, created_ns)) / 1000000 AS queue_ms,
  (ended_ns - started_ns) / 1000000   AS run_ms,
  CASE WHEN refused = 1 OR wait_until_ns IS NOT NULL THEN 0 ELSE coalesce(attempt, 1) END AS attempts, asked AS asked_cli,
  input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, usage_scope,
  cost_usd, cost_estimated, cost_scope,
  session, session_id, native_session_id, correlation_id, parent_id,
  json_extract(approval, '$.verdict') AS verdict, json_extract(approval, '$.by') AS decided_by, json_extract(approval, '$.policy') AS policy, approval,
  client_name, client_version, gateway_version, catalog_digest, principal,
  cwd, argv, args, env_names, warnings,
  prompt, response, response_bytes, out_bytes, err_bytes, truncated,
  strftime('%Y-%m-%dT%H:%M:%fZ', texts_dropped_ns / 1e9, 'unixepoch') AS texts_dropped_at,
  (SELECT n FROM searched WHERE job_id = job.id) AS search_id
FROM job ORDER BY id DESC;

-- A sum leaves out what is not known, and figures of whole conversations; how many calls
-- that were is in a column of its own.
CREATE VIEW cost_by_day AS SELECT
  date(created_ns / 1e9, 'unixepoch') AS day, cli,
  count(*) AS calls, sum(outcome = 'ok') AS answered,
  sum(CASE WHEN cost_scope IS NULL THEN cost_usd END) AS cost_usd,
  sum(coalesce(cost_estimated, 0)) AS estimated,
  sum(state = 'done' AND outcome <> 'start_failed' AND (cost_usd IS NULL OR cost_scope IS NOT NULL)) AS cost_unknown,
  sum(CASE WHEN usage_scope IS NULL THEN input_tokens END) AS input_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN output_tokens END) AS output_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN cache_read_tokens END) AS cache_read_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN cache_write_tokens END) AS cache_write_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN reasoning_tokens END) AS reasoning_tokens
FROM job WHERE refused IS NULL AND wait_until_ns IS NULL GROUP BY 1, 2 ORDER BY 1 DESC, 2;

CREATE VIEW cost_by_model AS SELECT
  cli, model,
  count(*) AS calls, sum(outcome = 'ok') AS answered,
  sum(CASE WHEN cost_scope IS NULL THEN cost_usd END) AS cost_usd,
  sum(coalesce(cost_estimated, 0)) AS estimated,
  sum(state = 'done' AND outcome <> 'start_failed' AND (cost_usd IS NULL OR cost_scope IS NOT NULL)) AS cost_unknown,
  sum(CASE WHEN usage_scope IS NULL THEN input_tokens END) AS input_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN output_tokens END) AS output_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN cache_read_tokens END) AS cache_read_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN cache_write_tokens END) AS cache_write_tokens,
  sum(CASE WHEN usage_scope IS NULL THEN reasoning_tokens END) AS reasoning_tokens,
  CAST(avg(duration_ms) AS INTEGER) AS average_ms
FROM job WHERE refused IS NULL AND wait_until_ns IS NULL GROUP BY 1, 2 ORDER BY 5 DESC, 3 DESC;

CREATE VIEW slowest AS SELECT
  id, strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS started_at,
  cli, model, outcome, error_class,
  duration_ms, (started_ns - coalesce(begun_ns, created_ns)) / 1000000 AS queue_ms, (ended_ns - started_ns) / 1000000 AS run_ms,
  output_tokens, cwd, substr(prompt, 1, 200) AS prompt
FROM job WHERE state = 'done' AND refused IS NULL ORDER BY duration_ms DESC LIMIT 100;

CREATE VIEW failures AS SELECT
  id, strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS started_at,
  tool, cli, model,
  CASE WHEN refused = 1 THEN 'refused' ELSE outcome END AS outcome,
  error_class, error_message, detail, exit_code, signal, duration_ms,
  CASE WHEN refused = 1 OR wait_until_ns IS NOT NULL THEN 0 ELSE coalesce(attempt, 1) END AS attempts,
  client_name, correlation_id, substr(prompt, 1, 200) AS prompt
FROM job WHERE outcome <> 'ok' ORDER BY id DESC;
