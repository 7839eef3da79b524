-- The large texts stand last: SQLite reads a row from its front, so that a list
-- of calls need not walk over prompts and answers to reach the small columns.
CREATE TABLE job(
  id                 TEXT PRIMARY KEY,
  dedup_key          TEXT,
  tool               TEXT NOT NULL,
  cli                TEXT,
  cli_version        TEXT, -- installed, where the call depended on it
  mode               TEXT,
  model              TEXT,
  spec_hash          TEXT,
  catalog_digest     TEXT,
  parent_id          TEXT,
  owner              TEXT,
  folder             TEXT, -- of all jobs of its gateway; what a job printed lies in folder/id
  session            TEXT,
  opens              INTEGER,
  session_id         TEXT,
  native_session_id  TEXT,
  correlation_id     TEXT,
  state              TEXT NOT NULL CHECK(state IN ('live','done')),
  outcome            TEXT CHECK(outcome IN ('ok','error','canceled','timeout','output_cap','lost','start_failed')),
  error_class        TEXT,
  exit_code          INTEGER,
  signal             INTEGER,
  created_ns         INTEGER NOT NULL,
  ended_ns           INTEGER,
  duration_ms        INTEGER,
  out_bytes          INTEGER,
  err_bytes          INTEGER,
  truncated          INTEGER,
  response_bytes     INTEGER,
  input_tokens       INTEGER,
  output_tokens      INTEGER,
  cache_read_tokens  INTEGER,
  cache_write_tokens INTEGER,
  reasoning_tokens   INTEGER,
  cost_usd           REAL,
  gateway_version    TEXT,
  client_name        TEXT,
  client_version     TEXT,
  cwd                TEXT,
  approval           TEXT,
  detail             TEXT,
  error_message      TEXT,
  env_names          TEXT,
  argv               TEXT,
  args               TEXT,
  prompt             TEXT,
  response           TEXT,
  CHECK((state='done') = (outcome IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX job_live_dedup ON job(dedup_key) WHERE state='live' AND dedup_key IS NOT NULL;
CREATE INDEX job_dedup_recent ON job(dedup_key, created_ns) WHERE dedup_key IS NOT NULL;
CREATE INDEX job_live ON job(created_ns) WHERE state='live';
CREATE INDEX job_parent ON job(parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX job_correlation ON job(correlation_id) WHERE correlation_id IS NOT NULL;

-- Calls for which nothing was run, because they are the same as one that was.
CREATE TABLE joined(
  job_id          TEXT NOT NULL, -- of which they were given the answer
  tool            TEXT NOT NULL,
  parent_id       TEXT,
  correlation_id  TEXT,
  approval        TEXT,
  gateway_version TEXT,
  client_name     TEXT,
  client_version  TEXT,
  created_ns      INTEGER NOT NULL
) STRICT;

CREATE INDEX joined_job ON joined(job_id);
CREATE INDEX joined_correlation ON joined(correlation_id) WHERE correlation_id IS NOT NULL;

-- Decisions about calls, also about those that were denied and never became a job.
CREATE TABLE approval(
  id             TEXT PRIMARY KEY,
  tool           TEXT NOT NULL,
  cli            TEXT NOT NULL,
  strategy       TEXT NOT NULL,
  policy         TEXT,
  verdict        TEXT NOT NULL CHECK(verdict IN ('approved','denied')),
  decided_by     TEXT NOT NULL,
  answer         TEXT,
  score          INTEGER NOT NULL,
  reasons        TEXT,
  note           TEXT,
  catalog_digest TEXT,
  correlation_id TEXT,
  client_name    TEXT,
  client_version TEXT,
  created_ns     INTEGER NOT NULL
) STRICT;

-- Conversations, as callers name them (id) and as their CLIs do (native_id).
CREATE TABLE session(
  cli         TEXT NOT NULL,
  id          TEXT NOT NULL,
  native_id   TEXT,
  begun       INTEGER NOT NULL,
  active      INTEGER NOT NULL,
  turns       INTEGER NOT NULL,
  opener      TEXT,
  cwd         TEXT,
  description TEXT,
  created_ns  INTEGER NOT NULL,
  used_ns     INTEGER NOT NULL,
  PRIMARY KEY(id, cli)
) STRICT;

CREATE UNIQUE INDEX session_active ON session(cli) WHERE active = 1;
CREATE INDEX session_native ON session(native_id) WHERE native_id IS NOT NULL;
CREATE INDEX session_used ON session(used_ns);

-- Files of earlier gateways whose content is in here.
CREATE TABLE imported(
  source     TEXT PRIMARY KEY,
  created_ns INTEGER NOT NULL
) STRICT;

-- For people, with any SQLite browser. No statement of the gateway reads it.
CREATE VIEW requests AS SELECT
  id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ns / 1e9, 'unixepoch')   AS ended_at,
  cli, cli_version, tool, mode, model,
  state, outcome, error_class, error_message, exit_code,
  duration_ms, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, cost_usd,
  session, session_id, native_session_id, correlation_id, parent_id,
  client_name, client_version, gateway_version, cwd, approval, args,
  prompt, response, response_bytes
FROM job ORDER BY id DESC;

CREATE VIEW joins AS SELECT
  job_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS joined_at,
  tool, correlation_id, parent_id, client_name, client_version, gateway_version, approval
FROM joined ORDER BY created_ns DESC;

CREATE VIEW approvals AS SELECT
  id,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS decided_at,
  cli, tool, strategy, policy, verdict, decided_by, answer, score, reasons, note,
  correlation_id, client_name, client_version, catalog_digest
FROM approval ORDER BY id DESC;

CREATE VIEW sessions AS SELECT
  cli, id, native_id, active, begun, turns, description, cwd,
  strftime('%Y-%m-%dT%H:%M:%fZ', created_ns / 1e9, 'unixepoch') AS created_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', used_ns / 1e9, 'unixepoch')    AS used_at
FROM session ORDER BY used_ns DESC;
