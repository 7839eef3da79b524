package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

func joinColumns(j *store.Join) []column {
	return []column{
		{"job_id", text{&j.JobID}},
		{"tool", text{&j.Tool}},
		{"parent_id", text{&j.ParentID}},
		{"correlation_id", text{&j.CorrelationID}},
		{"approval", jsonBytes(&j.Approval)},
		{"gateway_version", text{&j.GatewayVersion}},
		{"client_name", text{&j.ClientName}},
		{"client_version", text{&j.ClientVersion}},
		{"created_ns", instant{&j.Created}},
		{"principal", text{&j.Principal}},
	}
}

var (
	joinNames     = names(joinColumns(new(store.Join)))
	insertJoinSQL = insertSQL("joined", joinNames)
	joinsSQL      = "SELECT " + strings.Join(joinNames, ", ") + " FROM joined WHERE job_id = ? AND principal = ? ORDER BY rowid DESC LIMIT ?"
)

// RecordJoin records that a call shares a job, whether that has ended or not.
func (s *Store) RecordJoin(ctx context.Context, j store.Join) error {
	if !store.ValidID(j.JobID) {
		return fmt.Errorf("join job: %q is not an id", j.JobID)
	}
	if j.Created.IsZero() {
		j.Created = time.Now()
	}
	err := store.CheckPrincipal(j.Principal)
	if err == nil {
		err = s.checkFile()
	}
	var stmt *sql.Stmt
	if err == nil {
		stmt, err = s.insertJoin.get(s.writer, insertJoinSQL)
	}
	if err == nil {
		_, err = stmt.ExecContext(ctx, values(joinColumns(&j))...)
	}
	if err != nil {
		return s.jobError("join", j.JobID, err)
	}
	return nil
}

// Joins returns the calls of a principal that share a job, newest first. A limit of zero means 50; 500
// is the most.
func (s *Store) Joins(ctx context.Context, principal, id string, limit int) ([]store.Join, error) {
	if err := store.CheckPrincipal(principal); err != nil {
		return nil, s.jobError("list calls that joined", id, err)
	}
	list, err := queryAll(ctx, s.reader, func(j *store.Join) []any { return values(joinColumns(j)) }, joinsSQL, id, principal, rowLimit(limit))
	if err != nil {
		return nil, s.jobError("list calls that joined", id, err)
	}
	return list, nil
}
