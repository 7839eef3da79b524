package call

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

func (w *world) Costs(_ context.Context, sums []store.Costs) ([]store.Costs, error) {
	return w.counts[:len(sums)], w.broken
}

func (w *world) MeanCost(_ context.Context, _, model string, _ time.Time) (float64, int, error) {
	w.note("mean")
	if usd, known := w.means[model]; known {
		return usd, 1, w.broken
	}
	return 0, 0, w.broken
}

// TestBudget: what a call reserves, and what becomes of one that does not fit.
func TestBudget(t *testing.T) {
	for name, c := range map[string]struct {
		args    string
		atLimit string
		noLimit bool
		spent   float64
		means   map[string]float64
		broken  error
		asks    bool // the client can ask, and its person approves

		asked    string // by whom, in order
		class    string // of the failure
		usd      float64
		warned   bool
		question string // parts of it, in order
	}{
		"no budget":               {args: `{"prompt":"x"}`, noLimit: true, asked: "models session submit"},
		"it fits":                 {args: `{"prompt":"x"}`, spent: 5, asked: "models session mean submit", usd: 0.5},
		"little is left":          {args: `{"prompt":"x"}`, spent: 8, asked: "models session mean submit", usd: 0.5, warned: true},
		"as the last ones":        {args: `{"prompt":"x"}`, spent: 5, means: map[string]float64{"": 2}, asked: "models session mean submit", usd: 2},
		"as those of its model":   {args: `{"prompt":"x","model":"m"}`, spent: 5, means: map[string]float64{"": 2, "m": 1}, asked: "models session mean submit", usd: 1},
		"none of its model":       {args: `{"prompt":"x","model":"n"}`, spent: 5, means: map[string]float64{"": 2, "m": 1}, asked: "models session mean mean submit", usd: 2},
		"nothing is left":         {args: `{"prompt":"x"}`, spent: 10, asked: "models session mean submit", class: lang.ClassBudget, usd: 0.5},
		"a person says yes":       {args: `{"prompt":"x"}`, spent: 10, asks: true, asked: "models session mean submit submit", usd: 0.5, question: "May Acme be called although|$10.00 spent of $10.00|Prompt: \"x\""},
		"nobody is to be asked":   {args: `{"prompt":"x"}`, spent: 10, asks: true, atLimit: "refuse", asked: "models session mean submit", class: lang.ClassBudget, usd: 0.5},
		"one question about both": {args: `{"prompt":"x","n":5,"approvalPolicy":"narrow"}`, spent: 10, asks: true, asked: "models session mean submit submit", usd: 0.5, question: "leaves it to you|Prompt: \"x\"|May Acme be called although"},
		"denied before":           {args: `{"prompt":"x","n":50,"approvalPolicy":"narrow"}`, spent: 10, asked: "models session decision", class: lang.ClassDenied},
		"the record is away":      {args: `{"prompt":"x"}`, broken: errors.New("away"), asked: "models session mean", class: lang.ClassRecord},
	} {
		t.Run(name, func(t *testing.T) {
			w, req := newWorld(t), request(c.args)
			settings := &w.Service.Catalog().Settings.Budget
			if *settings = (lang.GatewayBudget{EstimateUSD: 0.5, AtLimit: c.atLimit}); !c.noLimit {
				settings.Day = new(10.0)
			}
			w.counts, w.means, w.broken = []store.Costs{{Spent: c.spent}}, c.means, c.broken
			var question string
			if c.asks {
				req.Ask = func(_ context.Context, text string) (Reply, error) {
					question = text
					return ChoseApprove, nil
				}
			}
			out, err := New(w.Service).Call(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(w.asked, " "); got != c.asked {
				t.Errorf("asked: %s, want %s", got, c.asked)
			}
			class := ""
			if out.Failure != nil {
				class = out.Failure.Class
			}
			if class != c.class || (len(out.Job.Notes) > 0) != c.warned {
				t.Errorf("%+v, %q", out.Failure, out.Job.Notes)
			}
			if (req.Charge != nil) != (c.usd > 0) || req.Charge != nil && (req.Charge.USD != c.usd || (req.Charge.Fit == nil) != (c.question != "")) {
				t.Errorf("%+v", req.Charge)
			}
			rest := question
			for part := range strings.SplitSeq(c.question, "|") {
				_, after, found := strings.Cut(rest, part)
				if rest = after; !found {
					t.Errorf("the question lacks %q: %s", part, question)
				}
			}
		})
	}
}

func TestBudgetsOfAll(t *testing.T) {
	w := newWorld(t)
	c := w.Service.Catalog()
	if uses, err := w.Budgets(t.Context(), c); err != nil || uses != nil {
		t.Errorf("%v, %v", uses, err)
	}
	c.Settings.Budget.Month = new(100.0)
	c.CLIs[0].Budget.Day = new(10.0)
	w.counts = []store.Costs{{Spent: 3}, {Spent: 2, Reserved: 1, Estimated: 0.5}}
	uses, err := w.Budgets(t.Context(), c)
	if err != nil || len(uses) != 2 || uses[0].Setting() != "gateway.budget.month" || uses[0].Spent != 3 || uses[1].Setting() != "cli.acme.budget.day" || !reflect.DeepEqual([]float64{uses[1].Spent, uses[1].Reserved, uses[1].Estimated}, []float64{2, 1, 0.5}) {
		t.Errorf("%+v, %v", uses, err)
	}
}

// TestFurtherAttempts: what is reserved for a job counts once for its next attempt.
func TestFurtherAttempts(t *testing.T) {
	c := newWorld(t).Service.Catalog()
	cli := c.CLIs[0]
	row := store.Job{CLI: "acme", Created: time.Now(), Attempt: 1, Reserved: new(3.0)}
	if Further(c, cli, row) != nil {
		t.Error("without a budget")
	}
	c.Settings.Budget.Day = new(10.0)
	for name, tt := range map[string]struct {
		change func(*store.Job)
		counts store.Costs
		over   bool
	}{
		"it fits":                        {nil, store.Costs{Spent: 7, Reserved: 3}, false},
		"its own does not count twice":   {nil, store.Costs{Spent: 7, Reserved: 2.9}, false},
		"others have spent it":           {nil, store.Costs{Spent: 10, Reserved: 3}, true},
		"others have reserved it":        {nil, store.Costs{Spent: 2, Reserved: 8.5}, true},
		"it counts for the day before":   {func(j *store.Job) { j.Created = time.Now().AddDate(0, 0, -2) }, store.Costs{Spent: 9, Reserved: 0.9}, true},
		"a person let it begin":          {func(j *store.Job) { j.Approval = []byte(`{"budget":"it does not fit"}`) }, store.Costs{Spent: 20}, false},
		"nothing was reserved for it":    {func(j *store.Job) { j.Reserved = nil }, store.Costs{Spent: 20}, false},
		"each attempt has the same part": {func(j *store.Job) { j.Attempt = 2 }, store.Costs{Spent: 7, Reserved: 3}, false},
	} {
		t.Run(name, func(t *testing.T) {
			job := row
			if tt.change != nil {
				tt.change(&job)
			}
			var err error
			if fit := Further(c, cli, job); fit != nil {
				tt.counts.Since = fit.Sums[0].Since
				err = fit.Check([]store.Costs{tt.counts})
			}
			if (err != nil) != tt.over {
				t.Errorf("%v", err)
			}
		})
	}
}
