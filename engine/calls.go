package engine

import (
	"context"
	"errors"

	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// CallRows are calls of the local user as the view calls of the record has them, newest first.
func (e *Engine) CallRows(ctx context.Context, c sqlite.Calls) (columns []string, rows [][]any, err error) {
	records, err := e.calls()
	if err != nil {
		return nil, nil, err
	}
	c.Principal = store.Local
	return records.CallRows(ctx, c)
}

// CallSums sums up calls of the local user, as sqlite.Store.CallSums does.
func (e *Engine) CallSums(ctx context.Context, c sqlite.Calls, by string) (columns []string, rows [][]any, err error) {
	records, err := e.calls()
	if err != nil {
		return nil, nil, err
	}
	c.Principal = store.Local
	return records.CallSums(ctx, c, by)
}

// calls is the record of calls.
func (e *Engine) calls() (*sqlite.Store, error) {
	records, err := e.decisions()
	if err == nil && records == nil {
		err = errors.New("calls are not recorded; set gateway.logsDb (LLM_GATEWAY_LOGS_DB) to a database")
	}
	return records, err
}
