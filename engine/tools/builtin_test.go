//go:build unix

package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/installed"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/policy"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// conforms holds a result, as a client gets it, against an output schema. A failure has
// the status and the error, and keeps to the schema like any other: clients check both.
func conforms(tb testing.TB, schema json.RawMessage, r Result) map[string]any {
	tb.Helper()
	var object, rules map[string]any
	if err := errors.Join(json.Unmarshal(r.Object(), &object), json.Unmarshal(schema, &rules)); err != nil {
		tb.Fatalf("%v: %s", err, r.Object())
	}
	if r.IsError {
		failure, _ := object["error"].(map[string]any)
		if object["status"] == "" || failure["class"] == "" || failure["message"] == "" {
			tb.Errorf("a failure without a class or a message: %s", r.Object())
		}
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("result.json", rules); err != nil {
		tb.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(r.Object()))
	if err != nil {
		tb.Fatal(err)
	}
	if err := c.MustCompile("result.json").Validate(doc); err != nil {
		tb.Errorf("%v\n%s", err, r.Object())
	}
	return object
}

// ask calls a tool, and holds the result against what the tool promises.
func (t *Tools) ask(tb testing.TB, name, args string) (Result, map[string]any) {
	tb.Helper()
	r := t.call(tb, name, args)
	for _, o := range t.Offers() {
		if o.Name == name {
			return r, conforms(tb, o.Output, r)
		}
	}
	tb.Fatalf("there is no tool %s", name)
	return r, nil
}

// wrongInput has, for each built-in tool, arguments with everything that a caller can get
// wrong, and all that the tool says about them.
var wrongInput = map[string][]struct{ args, want string }{
	JobStatus: {
		{`{}`, "jobId: missing required parameter"},
		{`{"jobID":7,"jobId":true,"waitMs":60001}`, `jobID: unknown parameter (did you mean "jobId"?)|jobId: must be a string, not true|waitMs: must be 0 to 60,000, not 60,001`},
	},
	JobResult: {
		{`{"waitMs":-1,"maxChars":0,"offset":-1}`, "jobId: missing required parameter|waitMs: must be 0 to 60,000, not -1|maxChars: must be 1 to 1,000,000, not 0|offset: must be at least 0, not -1"},
		{`{"jobId":"x","maxChars":1.5,"offset":"0x"}`, `maxChars: must be an integer, not 1.5|offset: must be an integer, not "0x"`},
	},
	JobCancel: {{`{"jobId":"` + strings.Repeat("x", 65) + `","force":true}`, "force: unknown parameter|jobId: has 65 characters, at most 64 are allowed"}},
	JobList: {{`{"cli":true,"state":"runing","limit":501}`,
		`cli: must be a string, not true|state: must be "waiting", "queued", "running", "retrying", "completed", "failed", "canceled" or "orphaned", not "runing" (did you mean "running"?)|limit: must be 1 to 500, not 501`}},
	ApprovalList:  {{`{"limit":0,"clI":""}`, `clI: unknown parameter (did you mean "cli"?)|limit: must be 1 to 500, not 0`}},
	GatewayStatus: {{`{"x":1,"y":2}`, "x: unknown parameter|y: unknown parameter"}, {`[]`, "the arguments must be an object, not a list"}},
	CLIVersions:   {{`{"cli":["acme"]}`, "cli: must be a string, not a list"}, {`{"cli":"acmee"}`, `there is no CLI "acmee" (did you mean "acme"?)`}},
	CLIUpgrade: {
		{`{"target":true,"dryRun":"no","timeoutMs":999,"force":0}`, `cli: missing required parameter|target: must be a string, not true|dryRun: must be true or false, not "no"|timeoutMs: must be 1,000 to 3,600,000, not 999|force: must be true or false, not 0`},
		{`{"cli":"nobody"}`, `there is no CLI "nobody"; there are acme, zeta, mira, gone`},
		{`{"cli":"acme","target":"-x"}`, `target: must be "latest", a version such as "1.2.3" or a tag such as "beta", not "-x"`},
	},
	ListModels: {{`{"cli":true}`, "cli: must be a string, not true"}, {`{"cli":"nobody"}`, `there is no CLI "nobody"; there are acme, zeta, mira, gone`}},
	SessionCreate: {
		{`{"description":true,"setAsActive":"yes"}`, `cli: missing required parameter|description: must be a string, not true|setAsActive: must be true or false, not "yes"`},
		{`{"cli":"zet"}`, `there is no CLI "zet" (did you mean "zeta"?)`},
		{`{"cli":"mira"}`, "mira has no conversations that can be continued"},
	},
	SessionList:   {{`{"limit":501,"cli":true}`, "cli: must be a string, not true|limit: must be 1 to 500, not 501"}, {`{"cli":"zet"}`, `there is no CLI "zet" (did you mean "zeta"?)`}},
	SessionUse:    {{`{"sessionId":true}`, "cli: missing required parameter|sessionId: must be a string, not true"}},
	SessionGet:    {{`{"sessionId":"","cli":true}`, "sessionId: must have at least 1 characters|cli: must be a string, not true"}, {`{"sessionId":"x"}`, `there is no session "x"`}},
	SessionDelete: {{`{}`, "sessionId: missing required parameter"}, {`{"sessionId":"x"}`, `there is no session "x"`}},
	SessionClear:  {{`{"cli":true,"every":true}`, "every: unknown parameter|cli: must be a string, not true"}},
}

func TestWrongInputOfBuiltins(t *testing.T) {
	tools := newTools(t)
	tools.Sessions = &session.Service{Record: recordOf[session.Store](tools)}
	wire(tools)
	for _, b := range builtins {
		t.Run(b.name(), func(t *testing.T) {
			if len(wrongInput[b.name()]) == 0 {
				t.Error("nothing wrong is tried")
			}
			for _, c := range wrongInput[b.name()] {
				r := tools.call(t, b.name(), c.args)
				got := conforms(t, b.listing().Output, r)
				want := c.want
				if wrong := strings.Split(c.want, "|"); len(wrong) > 1 {
					want = fmt.Sprintf("%d problems with the arguments of %s:\n- %s", len(wrong), b.name(), strings.Join(wrong, "\n- "))
				}
				failure, _ := got["error"].(map[string]any)
				if !r.IsError || failure["class"] != lang.ClassUsage || failure["message"] != want || failure["hint"] == nil || !strings.HasPrefix(r.Text[0], want+"\nHint: ") {
					t.Errorf("%s:\n%v, want\n%s\n%q", c.args, failure, want, r.Text)
				}
			}
		})
	}
}

// TestResultsOfBuiltins: the results of each tool are what its schema promises, with
// something to report and with nothing.
func TestResultsOfBuiltins(t *testing.T) {
	now := time.Now()
	full, empty := newTools(t), newTools(t)
	for _, tools := range []*Tools{full, empty} {
		tools.Sessions, tools.Decisions = &session.Service{Record: recordOf[session.Store](tools)}, recordOf[ApprovalStore](tools)
		tools.Specs = specsOf{Files: []SpecFile{}}
		wire(tools)
	}
	full.Specs = specsOf{
		Digest: "d", Since: now, Files: []SpecFile{{Name: "a.cue", SHA256: "0"}}, Warnings: []string{"w"}, Restart: []string{"s"},
		Failed: &Failed{Time: now, Problems: []string{"p"}}, Held: &Held{Time: now, Digest: "h", Changes: []string{"c"}}, Lost: []Lost{{Folder: "f", Since: now}}, Evaluating: &Evaluating{File: "a.cue", Since: now, LimitMs: 5000, LimitMb: 1024},
	}
	records, err := recordOf[call.Decisions](full)()
	if err != nil {
		t.Fatal(err)
	}
	if err := records.RecordApproval(t.Context(), store.Approval{Principal: store.Local, ID: store.NewID(), Time: now, Tool: "acme_request", CLI: "acme", Verdict: call.Denied, By: "policy", Policy: "p", Answer: string(call.Declined), Strategy: policy.Managed, CatalogDigest: "d"}); err != nil {
		t.Fatal(err)
	}
	job := fmt.Sprintf(`{"jobId":%q}`, whole(t, full.call(t, "acme_request", `{"prompt":"x"}`))["jobId"])
	broken := fmt.Sprintf(`{"jobId":%q}`, whole(t, full.call(t, "gone_request", `{"prompt":"x"}`))["jobId"])
	made, _ := SessionCreateTool.Call(t.Context(), full, Caller{}, SessionCreateInput{CLI: "zeta", Description: "a talk", SetAsActive: true})
	if made == nil {
		t.Fatal("no session was made")
	}
	talk := fmt.Sprintf(`{"sessionId":%q}`, made.SessionID)
	for _, c := range []struct {
		tools      *Tools
		tool, args string
		failed     bool
		says       string
	}{
		{full, JobStatus, job, false, "Job "}, {full, JobStatus, broken, false, "Gone failed"},
		{full, JobResult, job, false, "x"}, {full, JobResult, broken, true, "Gone failed"},
		{full, JobCancel, job, false, "had already ended"},
		{full, JobList, `{}`, false, " acme "}, {empty, JobList, `{}`, false, "No jobs were found."},
		{full, ApprovalList, `{}`, false, " acme denied score 0 by policy p (decline)"}, {empty, ApprovalList, `{}`, false, "No decisions are recorded."},
		{full, GatewayStatus, `{}`, false, "s takes effect at the next start."}, {empty, GatewayStatus, `{}`, false, "after 0 reloads"},
		{full, CLIVersions, `{}`, false, "is not installed"}, {full, CLIVersions, `{"cli":"acme"}`, false, "version unknown"},
		{full, CLIUpgrade, `{"cli":"acme"}`, true, "Acme"}, {newRanged(t, "1.4"), CLIUpgrade, `{"cli":"nova"}`, false, "Nothing was run"},
		{full, ListModels, `{}`, false, "takes no model"}, {full, ListModels, `{"cli":"acme"}`, false, "acme (Acme)"},
		{full, SessionCreate, `{"cli":"zeta","setAsActive":false}`, false, "its first call begins the conversation"},
		{full, SessionList, `{"limit":1}`, false, "1 of 2."}, {empty, SessionList, `{}`, false, "There are no sessions."},
		{full, SessionGet, talk, false, `"a talk"`},
		{full, SessionUse, `{"cli":"zeta"}`, false, "No session of zeta is active."}, {full, SessionUse, `{"cli":"zeta",` + talk[1:], false, "zeta active"},
		{full, SessionDelete, talk, false, "Deleted"},
		{full, SessionClear, `{}`, false, "1 session was deleted."}, {empty, SessionClear, `{}`, false, "0 sessions were deleted."},
	} {
		r, _ := c.tools.ask(t, c.tool, c.args)
		if text := strings.Join(r.Text, "\n"); r.IsError != c.failed || !strings.Contains(text, c.says) {
			t.Errorf("%s %s: %q lacks %q", c.tool, c.args, text, c.says)
		}
	}
	full.Runner.Record = noRecord
	full.Sessions, full.Decisions, full.Specs = &session.Service{Record: recordOf[session.Store](full)}, recordOf[ApprovalStore](full), nil
	wire(full)
	for _, c := range []struct{ tool, args, class string }{
		{JobStatus, job, lang.ClassRecord}, {JobResult, job, lang.ClassRecord}, {JobCancel, job, lang.ClassRecord}, {JobList, `{}`, lang.ClassRecord},
		{ApprovalList, `{}`, lang.ClassRecord}, {GatewayStatus, `{}`, lang.ClassUsage}, {SessionCreate, `{"cli":"zeta"}`, lang.ClassRecord},
		{SessionList, `{}`, lang.ClassRecord}, {SessionUse, `{"cli":"zeta","sessionId":"x"}`, lang.ClassRecord}, {SessionGet, talk, lang.ClassRecord},
		{SessionDelete, talk, lang.ClassRecord}, {SessionClear, `{}`, lang.ClassRecord},
	} {
		if r, got := full.ask(t, c.tool, c.args); !r.IsError || got["error"].(map[string]any)["class"] != c.class {
			t.Errorf("%s: %q", c.tool, r.Text)
		}
	}
}

// TestFailuresKeepToTheSchemas: whatever goes wrong with a call of a tool, clients that
// check results show the failure and not a complaint about its form.
func TestFailuresKeepToTheSchemas(t *testing.T) {
	d := newApprovalFixture(t, `gateway: approvals: danger: "deny"`)
	d.Sessions = &session.Service{Record: recordOf[session.Store](d.Tools)}
	d.Versions = &installed.Prober{Host: d.Runner.Host}
	wire(d.Tools)
	lost := newApprovalFixture(t, "").Tools
	lost.Runner.Record, lost.Versions = noRecord, &installed.Prober{Host: lost.Runner.Host}
	lost.Sessions, lost.Decisions = &session.Service{Record: recordOf[session.Store](lost)}, recordOf[ApprovalStore](lost)
	wire(lost)
	complete := `{"prompt":"xx","jobId":"x","sessionId":"x","cli":"acme"}`
	for _, o := range d.Offers() {
		var input struct{ Properties map[string]any }
		var output struct{ Required []string }
		if err := errors.Join(json.Unmarshal(o.Input, &input), json.Unmarshal(o.Output, &output)); err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(output.Required, func(name string) bool { return name != "status" }) {
			t.Errorf("%s: failures do not have all of %q", o.Name, output.Required)
		}
		var args map[string]any
		if err := json.Unmarshal([]byte(complete), &args); err != nil {
			t.Fatal(err)
		}
		for name := range args {
			if input.Properties[name] == nil || name == "sessionId" && strings.Contains(o.Name, "_request") {
				delete(args, name)
			}
		}
		known := string(encode(args))
		if r, _ := d.ask(t, o.Name, `{"nobody":1}`); !r.IsError {
			t.Errorf("%s takes any argument", o.Name)
		}
		d.ask(t, o.Name, `[]`)
		d.ask(t, o.Name, known) // an id or a CLI that there is not
		lost.ask(t, o.Name, known)
		if strings.Contains(o.Name, "_request") {
			if r, got := d.ask(t, o.Name, `{"prompt":"xx","yolo":true}`); !r.IsError || got["error"].(map[string]any)["class"] != lang.ClassDenied {
				t.Errorf("%s: %q", o.Name, r.Text)
			}
		}
	}
}

// TestNullSession: that no session is to be active can be said by null, as the schema says.
func TestNullSession(t *testing.T) {
	tools := newTools(t)
	tools.Sessions = &session.Service{Record: recordOf[session.Store](tools)}
	wire(tools)
	if schema := string(SessionUseTool.listing().Input); !strings.Contains(schema, `"sessionId":{"type":["string","null"]`) {
		t.Error(schema)
	}
	if r, _ := tools.ask(t, SessionUse, `{"cli":"zeta","sessionId":null}`); r.IsError || !strings.Contains(r.Text[0], "No session of zeta is active") {
		t.Errorf("%q", r.Text)
	}
}

// TestCallOfBuiltin: a typed call is checked like any other, and gives the typed output.
func TestCallOfBuiltin(t *testing.T) {
	tools := newTools(t)
	out, r := JobListTool.Call(t.Context(), tools, Caller{}, JobListInput{State: "odd"})
	if out != nil || !r.IsError || !strings.Contains(r.Text[0], "2 problems") || !strings.Contains(r.Text[0], "limit: must be 1 to 500, not 0") {
		t.Errorf("%+v %q", out, r.Text)
	}
	id := whole(t, tools.call(t, "acme_request", `{"prompt":"x"}`))["jobId"]
	out, r = JobListTool.Call(t.Context(), tools, Caller{}, JobListInput{State: call.Completed, Limit: 1})
	if r.IsError || len(out.Jobs) != 1 || out.Jobs[0].JobID != id || time.Since(out.Jobs[0].Created) > time.Hour {
		t.Errorf("%+v %q", out, r.Text)
	}
}

// TestOutputSchemas holds each schema against the struct that it describes.
func TestOutputSchemas(t *testing.T) {
	for _, b := range builtins {
		t.Run(b.name(), func(t *testing.T) {
			var schema map[string]any
			if err := json.Unmarshal(b.listing().Output, &schema); err != nil {
				t.Fatal(err)
			}
			handle, _ := reflect.TypeOf(b).Elem().FieldByName("handle")
			described(t, "result", schema, handle.Type.Out(0))
		})
	}
	states := []any{}
	for _, s := range []call.State{call.Waiting, call.Queued, call.Running, call.Retrying, call.Completed, call.Failed, call.Canceled, call.Orphaned} {
		states = append(states, string(s))
	}
	p, _ := JobListTool.listing().Param("state")
	var schema struct {
		Properties struct{ Status struct{ Enum []any } }
	}
	if err := json.Unmarshal(jobSchema, &schema); err != nil || !slices.Equal(schema.Properties.Status.Enum, states) || len(p.Enum) != len(states) {
		t.Errorf("%v: states are %q, not %q and %q", err, states, schema.Properties.Status.Enum, p.Enum)
	}
}

// described holds that what a schema says of a value is true of its Go type.
func described(t *testing.T, at string, schema map[string]any, of reflect.Type) {
	t.Helper()
	for of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	kind := map[reflect.Kind]string{reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer",
		reflect.Float64: "number", reflect.Slice: "array", reflect.Struct: "object", reflect.Map: "object"}[of.Kind()]
	if of == reflect.TypeFor[time.Time]() {
		kind = "string"
	}
	if schema["type"] != kind {
		t.Errorf("%s has the type %v, and is %s in Go", at, schema["type"], of)
		return
	}
	if items, ok := schema["items"].(map[string]any); ok {
		described(t, at+"[]", items, of.Elem())
	}
	if values, ok := schema["additionalProperties"].(map[string]any); ok {
		described(t, at+".*", values, of.Elem())
	}
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 {
		return
	}
	required, _ := schema["required"].([]any)
	fields := map[string]reflect.StructField{}
	for _, field := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "-" && field.Name == "Response" {
			name = "response" // stands behind the JSON
		}
		if fields[name] = field; slices.Contains(required, any(name)) && options != "" {
			t.Errorf("%s.%s is required, and may be left out: %s", at, name, options)
		}
	}
	for name, property := range properties {
		field, ok := fields[name]
		if !ok {
			t.Errorf("%s has no %s", of, name)
			continue
		}
		described(t, at+"."+name, property.(map[string]any), field.Type)
	}
}

// TestParamsOfFields: what a tag cannot say is said at once.
func TestParamsOfFields(t *testing.T) {
	type good struct {
		Name  string `json:"name" doc:"A name" required:"true" minLength:"1" maxLength:"9" enum:"a,b"`
		Count int    `json:"count,omitempty" min:"-1" max:"2.5" default:"7"`
		Yes   bool   `json:"yes" default:"true"`
	}
	var got []catalog.Param
	for _, p := range params(reflect.TypeFor[good]()) {
		got = append(got, *p)
	}
	if len(got) != 3 || got[0].Name != "name" || got[0].Doc != "A name" || !got[0].Required || *got[0].MinLength != 1 || *got[0].MaxLength != 9 || !slices.Equal(got[0].Enum, []string{"a", "b"}) ||
		got[1].Kind != catalog.Int || *got[1].Min != -1 || *got[1].Max != 2.5 || got[1].Default != 7 || got[2].Kind != catalog.Bool || got[2].Default != true {
		t.Errorf("%+v", got)
	}
	var in good
	setInput(reflect.ValueOf(&in).Elem(), map[string]any{"name": "a", "count": 3})
	if in != (good{Name: "a", Count: 3}) {
		t.Errorf("%+v", in)
	}
	for name, bad := range map[string]reflect.Type{
		"no name": reflect.TypeFor[struct{ X string }](), "a type that no parameter has": reflect.TypeFor[struct {
			X map[string]string `json:"x"`
		}](), "ParseBool": reflect.TypeFor[struct {
			X bool `json:"x" default:"yes"`
		}](), "Atoi": reflect.TypeFor[struct {
			X string `json:"x" maxLength:"1.5"`
		}](), "ParseFloat": reflect.TypeFor[struct {
			X int `json:"x" min:""`
		}](),
	} {
		if _, err := param(bad.Field(0)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// specsOf are specs of which that is to be reported.
type specsOf Status

func (s specsOf) Status() Status { return Status(s) }
