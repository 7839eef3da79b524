package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

func columnsOfJoin(j *Join) []column {
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
	}
}

var (
	joinColumns = names(columnsOfJoin(new(Join)))
	joinSQL     = insertSQL("joined", joinColumns)
	joinsSQL    = "SELECT " + strings.Join(joinColumns, ", ") + " FROM joined WHERE job_id = ? ORDER BY rowid DESC LIMIT ?"
)

// Join records that a call shares a job, whether that has ended or not.
func (s *Store) Join(ctx context.Context, j Join) error {
	if !ValidID(j.JobID) {
		return fmt.Errorf("join job: %q is not an id", j.JobID)
	}
	if j.Created.IsZero() {
		j.Created = time.Now()
	}
	err := s.present()
	var stmt *sql.Stmt
	if err == nil {
		stmt, err = s.joined.on(s.writer, joinSQL)
	}
	if err == nil {
		_, err = stmt.ExecContext(ctx, values(columnsOfJoin(&j))...)
	}
	if err != nil {
		return s.failed("join", j.JobID, err)
	}
	return nil
}

// Joins returns the calls that share a job, newest first. A limit of zero means 50; 500
// is the most.
func (s *Store) Joins(ctx context.Context, id string, limit int) ([]Join, error) {
	list, err := all(ctx, s.reader, func(j *Join) []any { return values(columnsOfJoin(j)) }, joinsSQL, id, page(limit))
	if err != nil {
		return nil, s.failed("list calls that joined", id, err)
	}
	return list, nil
}
