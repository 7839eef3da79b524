//go:build unix

package tools

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/host"
	"github.com/llm-cli-gateway/gateway/engine/job"
	"github.com/llm-cli-gateway/gateway/engine/session"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// read reads a resource that must be there.
func (t *Tools) read(tb testing.TB, uri string) map[string]any {
	tb.Helper()
	text, err := t.Read(tb.Context(), uri)
	if err != nil {
		tb.Fatalf("%s: %v", uri, err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		tb.Fatalf("%s: %v: %s", uri, err, text)
	}
	return got
}

func TestResourcesAreDescribed(t *testing.T) {
	names := []string{}
	for _, r := range Resources() {
		if r.Title == "" || len(r.Description) < 20 || !strings.HasPrefix(r.URI, scheme) {
			t.Errorf("%+v", r)
		}
		names = append(names, r.Name)
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(Resources()) {
		t.Errorf("names: %q", names)
	}
}

func TestReadCatalog(t *testing.T) {
	tools := newTools(t)
	got := tools.read(t, "gateway://catalog")
	if got["digest"] != tools.Catalog().Digest() || got["profile"] != Full {
		t.Errorf("%v", got)
	}
	told := []string{}
	for _, entry := range got["clis"].([]any) {
		cli := entry.(map[string]any)
		told = append(told, fmt.Sprint(cli["cli"], " ", cli["tool"], " ", cli["installed"], " ", cli["listed"], " ", cli["path"] != nil))
	}
	if want := []string{"acme acme_request true true true", "zeta zeta_request true true true", "mira mira_request true true true", "gone gone_request false false false"}; !slices.Equal(told, want) {
		t.Errorf("got %q, want %q", told, want)
	}
}

func TestReadModels(t *testing.T) {
	tools := newTools(t)
	if all, one := tools.read(t, "gateway://models")["clis"].(map[string]any), tools.read(t, "gateway://models/zeta")["clis"].(map[string]any); len(all) != 4 || len(one) != 1 || one["zeta"] == nil {
		t.Errorf("%v\n%v", all, one)
	}
	if one := tools.read(t, "gateway://models/%7aeta")["clis"].(map[string]any); one["zeta"] == nil {
		t.Errorf("%v", one)
	}
}

func TestReadJobs(t *testing.T) {
	tools := newTools(t)
	if got := tools.read(t, "gateway://jobs")["jobs"].([]any); len(got) != 0 {
		t.Errorf("%v", got)
	}
	long := strings.Repeat("ä", defaultChars+5)
	id := whole(t, tools.call(t, "acme_request", fmt.Sprintf(`{"prompt":%q}`, long)))["jobId"].(string)
	if got := tools.read(t, "gateway://jobs")["jobs"].([]any); len(got) != 1 || got[0].(map[string]any)["jobId"] != id {
		t.Errorf("%v", got)
	}
	got := tools.read(t, "gateway://jobs/"+id)
	if got["status"] != "completed" || got["response"] != long[:2*defaultChars] || got["stdout"] != nil || got["truncated"] != true || got["nextOffset"] != float64(defaultChars) {
		t.Errorf("%.500s", fmt.Sprint(got))
	}
	// What went wrong with a job is told like an answer.
	failed := tools.call(t, "zeta_request", `{"prompt":"x","rec":"{\"error\":\"quota\"}"}`)
	got = tools.read(t, "gateway://jobs/"+whole(t, failed)["jobId"].(string))
	if got["status"] != "failed" || got["error"].(map[string]any)["class"] != "quota" {
		t.Errorf("%v", got)
	}
}

func TestReadSessions(t *testing.T) {
	tools := newTools(t)
	if _, err := tools.Read(t.Context(), "gateway://sessions"); err == nil || !strings.Contains(err.Error(), "keeps no sessions") {
		t.Error(err)
	}
	tools.Sessions = &session.Service{Record: recordOf[session.Store](tools)}
	wire(tools)
	if got := tools.read(t, "gateway://sessions"); got["total"] != 0.0 || len(got["sessions"].([]any)) != 0 {
		t.Errorf("%v", got)
	}
	var made struct{ SessionID string }
	if r := tools.call(t, SessionCreate, `{"cli":"zeta","description":"a talk"}`); json.Unmarshal(r.Structured, &made) != nil || made.SessionID == "" {
		t.Fatalf("%+v", r)
	}
	if got := tools.read(t, "gateway://sessions"); got["total"] != 1.0 || got["active"].(map[string]any)["zeta"] != made.SessionID {
		t.Errorf("%v", got)
	}
	if got := tools.read(t, "gateway://sessions/"+made.SessionID); got["cli"] != "zeta" || got["description"] != "a talk" {
		t.Errorf("%v", got)
	}
	for _, id := range []string{"x", "%27%20OR%201=1--", "%25", strings.Repeat("x", 1<<20)} {
		_, err := tools.Read(t.Context(), "gateway://sessions/"+id)
		var none *NoResourceError
		if !errors.As(err, &none) || len(none.Text) > 1000 || !strings.Contains(none.Text, "gateway://sessions lists them") {
			t.Errorf("%.60q: %.300v", id, err)
		}
	}
}

func TestReadWhatIsNotThere(t *testing.T) {
	tools := newTools(t)
	missing := store.NewID()
	for uri, says := range map[string]string{
		"": "there are gateway://catalog, gateway://status, gateway://models, gateway://models/{cli}", "catalog": "there is no resource", "gateway:catalog": "no resource", "gateway://": "no resource",
		"GATEWAY://catalog": "no resource", "gateway://Catalog": "no resource", "gateway://catalog/": "no resource", "gateway://catalog/x": "no resource", "gateway://catalog?x": "no resource",
		"gateway://models/": "no resource", "gateway://models/{cli}": `no CLI "{cli}"`, "gateway://models/acm": `did you mean "acme"?`, "gateway://models/acme/": "no resource", "gateway://models/a%2Fb": `no CLI "a/b"`,
		"gateway://models/%zz": "no resource", "gateway://models//acme": "no resource", "gateway://models/acme%00": `no CLI "acme\x00"`, "gateway://models/\xff": `no CLI`,
		"gateway://jobs/" + missing: `no job "` + missing + `"; gateway://jobs lists them`, "gateway://jobs/../../etc/passwd": "no resource", "gateway://jobs/..%2F..%2Fetc%2Fpasswd": `no job "../../etc/passwd"`,
		"gateway://jobs/" + missing + "?maxChars=1": "no job", "gateway://jobs/%00": "no job", "gateway://user@jobs/x": "no resource", "file:///etc/passwd": "no resource",
		"gateway://models/" + strings.Repeat("x", 1<<20): "no CLI", "gateway://" + strings.Repeat("é", 1<<20): "…", "gateway://jobs/" + strings.Repeat("%41", 1<<18): "no job",
	} {
		_, err := tools.Read(t.Context(), uri)
		var none *NoResourceError
		if !errors.As(err, &none) || !strings.Contains(none.Text, says) || len(none.Text) > 1000 {
			t.Errorf("%.60q: %.300v", uri, err)
		}
	}
}

// TestReadWhatCannotBeFoundOut: a fault of the machine is not an absent resource.
func TestReadWhatCannotBeFoundOut(t *testing.T) {
	broken := errors.New("the disk is gone")
	tools := &Tools{Catalog: newTools(t).Catalog, Runner: &job.Runner{
		Host: host.New(nil, nil, ""), Record: func() (job.Store, error) { return nil, broken }, Current: func() *catalog.Catalog { return nil }}}
	tools.Sessions = &session.Service{Record: recordOf[session.Store](tools)}
	wire(tools)
	for _, uri := range []string{"gateway://sessions", "gateway://sessions/x", "gateway://jobs", "gateway://jobs/" + store.NewID()} {
		if text, err := tools.Read(t.Context(), uri); !errors.Is(err, broken) || text != nil {
			t.Errorf("%s: %s %v", uri, text, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, uri := range []string{"gateway://catalog", "gateway://models/acme", "gateway://jobs/x", "gateway://%2e%2e/", "gateway://jobs/%", "::"} {
		f.Add(uri)
	}
	tools := newTools(f)
	f.Fuzz(func(t *testing.T, uri string) {
		text, err := tools.Read(t.Context(), uri)
		var none *NoResourceError
		if err == nil && !json.Valid(text) || err != nil && !errors.As(err, &none) {
			t.Errorf("%q: %s %v", uri, text, err)
		}
	})
}
