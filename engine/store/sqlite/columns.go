package sqlite

import (
	"strings"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// A column of a job's row and the value it carries, for writing and for reading.
type column struct {
	name  string
	value any
}

// insertColumns are written when the row is made.
func insertColumns(j *store.Job) []column {
	return []column{
		{"id", text{&j.ID}},
		{"tool", text{&j.Tool}},
		{"cli", text{&j.CLI}},
		{"cli_version", text{&j.CLIVersion}},
		{"mode", text{&j.Mode}},
		{"model", text{&j.Model}},
		{"dedup_key", text{&j.DedupKey}},
		{"spec_hash", text{&j.SpecHash}},
		{"catalog_digest", text{&j.CatalogDigest}},
		{"parent_id", text{&j.ParentID}},
		{"owner", text{&j.Owner}},
		{"folder", text{&j.Folder}},
		{"session", text{&j.Session}},
		{"opens", flag{&j.Opens}},
		{"session_id", text{&j.SessionID}},
		{"correlation_id", text{&j.CorrelationID}},
		{"cwd", text{&j.Cwd}},
		{"approval", jsonBytes(&j.Approval)},
		{"prompt", text{&j.Prompt}},
		{"args", jsonBytes(&j.Args)},
		{"argv", jsonTexts(&j.Argv)},
		{"env_names", jsonTexts(&j.EnvNames)},
		{"gateway_version", text{&j.GatewayVersion}},
		{"client_name", text{&j.ClientName}},
		{"client_version", text{&j.ClientVersion}},
		{"created_ns", instant{&j.Created}},
		{"principal", text{&j.Principal}},
		{"wait_until_ns", instant{&j.Waiting.Until}},
		{"holder", text{&j.Waiting.Holder}},
		{"question", text{&j.Waiting.Question}},
		{"plan", jsonBytes(&j.Plan)},
		{"reserved_usd", &j.Reserved},
		{"model_asked", text{&j.ModelAsked}},
		{"model_resolved", text{&j.ModelResolved}},
		{"access", text{&j.Access}},
	}
}

// finishColumns are written when the job has ended.
func finishColumns(j *store.Job) []column {
	o := &j.Outcome
	return append(endColumns(o), []column{
		{"out_bytes", count{&o.OutBytes}},
		{"err_bytes", count{&o.ErrBytes}},
		{"truncated", flag{&o.Truncated}},
		{"response", text{&o.Response}},
		{"response_bytes", count{&j.ResponseBytes}},
		{"usage_scope", text{&o.UsageScope}},
		{"cost_scope", text{&o.CostScope}},
		{"model_answered", text{&o.Model}},
		{"started_ns", instant{&o.Started}},
		{"warnings", jsonTexts(&o.Warnings)},
	}...)
}

// endColumns are how a job or an attempt ended, and what it used.
func endColumns(o *store.Outcome) []column {
	return []column{
		{"outcome", text{(*string)(&o.Ending)}},
		{"detail", text{&o.Detail}},
		{"error_class", text{&o.ErrorClass}},
		{"error_message", text{&o.ErrorMessage}},
		{"exit_code", &o.ExitCode},
		{"signal", &o.Signal},
		{"ended_ns", instant{&o.Ended}},
		{"duration_ms", millis{&o.Duration}},
		{"native_session_id", text{&o.NativeSessionID}},
		{"input_tokens", &o.InputTokens},
		{"output_tokens", &o.OutputTokens},
		{"cache_read_tokens", &o.CacheReadTokens},
		{"cache_write_tokens", &o.CacheWriteTokens},
		{"reasoning_tokens", &o.ReasoningTokens},
		{"cost_usd", &o.CostUSD},
		{"cost_estimated", mark{&o.CostEstimated}},
	}
}

// jobColumns are all that is read.
func jobColumns(j *store.Job) []column {
	all := append(insertColumns(j), finishColumns(j)...)
	return append(all, column{"released", flag{&j.Waiting.Released}}, column{"state", text{(*string)(&j.State)}},
		column{"attempt", number{&j.Attempt}}, column{"begun_ns", instant{&j.Begun}}, column{"next_ns", instant{&j.Next}}, column{"asked", text{&j.Asked}},
		column{"refused", mark{&j.Refused}}, column{"texts_dropped_ns", instant{&j.TextsDropped}})
}

func names(columns []column) []string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.name
	}
	return list
}

func values(columns []column) []any {
	list := make([]any, len(columns))
	for i, c := range columns {
		list[i] = c.value
	}
	return list
}

// Every statement names its columns: a newer gateway may have added some.
var (
	insertJobSQL = func() string {
		list := names(insertColumns(new(store.Job)))
		return "INSERT INTO job(state, " + strings.Join(list, ", ") + ") VALUES('live'" + strings.Repeat(", ?", len(list)) + ")"
	}()

	// One statement is one transaction, and costs half of three.
	insertUnlessJoinableSQL = func() string {
		list := names(insertColumns(new(store.Job)))
		return "INSERT INTO job(state, " + strings.Join(list, ", ") + ") SELECT 'live'" + strings.Repeat(", ?", len(list)) +
			" WHERE NOT EXISTS (SELECT 1 FROM job WHERE dedup_key = ? AND (state = 'live' OR outcome = 'ok' AND ended_ns >= ?) AND principal = ?)"
	}()

	// The model that answered replaces the one asked for, if the CLI names it.
	finishJobSQL = "UPDATE job SET state = 'done', " + strings.Join(names(finishColumns(new(store.Job))), " = ?, ") +
		" = ?, model = coalesce(?, model), " + settle + " WHERE id = ? AND state = 'live'"

	jobSQL = "SELECT " + strings.Join(names(jobColumns(new(store.Job))), ", ") + " FROM job"

	// The principal is the last condition in all of these, because the column lies behind the
	// large texts. The state has an index for each of the two kinds.
	joinableSQL = jobSQL + " WHERE dedup_key = ?1 AND (state = 'live' OR outcome = 'ok' AND ended_ns >= ?2) AND principal = ?3 ORDER BY state = 'live' DESC, id DESC LIMIT 1"

	// A page of whole answers could be half a gigabyte.
	jobsSQL = strings.NewReplacer(
		" prompt,", " substr(prompt, 1, 1000),",
		" response,", " substr(response, 1, 1000),",
	).Replace(jobSQL)
)

// insertSQL writes a row with all of these columns.
func insertSQL(table string, columns []string) string {
	return "INSERT INTO " + table + "(" + strings.Join(columns, ", ") + ") VALUES(?" + strings.Repeat(", ?", len(columns)-1) + ")"
}
