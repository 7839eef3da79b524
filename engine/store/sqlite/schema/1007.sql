-- What is reserved for a job out of the budgets, in US dollars, from its beginning to its end. It
-- stays if the job has ended and nobody knows what it cost: then so much counts. NULL: nothing.
ALTER TABLE job ADD COLUMN reserved_usd REAL;
ALTER TABLE attempt ADD COLUMN cost_estimated INTEGER;

-- What counts against the budgets since a time. A call of which neither is known has no entry.
CREATE INDEX job_cost ON job(created_ns, cli, state, reserved_usd, cost_usd, cost_scope, cost_estimated, model)
  WHERE reserved_usd IS NOT NULL OR cost_usd IS NOT NULL AND cost_scope IS NULL;

-- What calls cost by day and CLI, by the time zone of whoever reads it. Unknown are the calls that
-- have ended and of whose cost nothing is known, and nothing counts.
CREATE VIEW budgets AS SELECT
  date(created_ns / 1000000000, 'unixepoch', 'localtime') AS day, cli,
  count(*) AS calls,
  total(coalesce(reserved_usd, iif(cost_scope IS NULL, cost_usd, NULL))) FILTER (WHERE state = 'done') AS spent_usd,
  total(coalesce(reserved_usd, cost_usd)) FILTER (WHERE state = 'done' AND (reserved_usd IS NOT NULL OR cost_scope IS NULL AND cost_estimated = 1)) AS estimated_usd,
  total(reserved_usd) FILTER (WHERE state = 'live') AS reserved_usd,
  count(*) FILTER (WHERE state = 'done' AND reserved_usd IS NULL AND (cost_usd IS NULL OR cost_scope IS NOT NULL)) AS unknown
FROM job WHERE cli IS NOT NULL AND refused IS NULL GROUP BY 1, 2 ORDER BY 1 DESC, 2;
