package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/engine/store/sqlite"
)

// acme takes ids, zeta chooses them, nova takes them and binds them to directories, and
// mira knows no conversations.
const clis = `
let s = {resume: ["--resume={id}"], latest: ["--last"], capture: "event.id", ...}
let o = {format: "jsonl", text: "event.text"}
cli: acme: {bin: "acme", title: "Acme", argv: ["{session}", "{params}"], output: o, session: s & {create: ["--id={id}"]}
	params: {deep: {doc: "Deep", type: "bool", flag: "--deep", modes: ["new"]}, soft: {doc: "Soft", type: "bool", flag: "--soft", modes: ["new"], default: true}}}
cli: zeta: {bin: "zeta", title: "Zeta", argv: ["{session}"], output: o, session: s & {id: "^z[0-9]+$"}}
cli: nova: {bin: "nova", title: "Nova", argv: ["{session}"], output: o, session: s & {create: ["--id={id}"], scope: "cwd", id: "^[0-9a-f-]{36}$"}}
cli: mira: {bin: "mira", title: "Mira", argv: []}
`

const uuid1, uuid2 = "5f1fd550-91f0-478b-bd59-04813a33556e", "6f1fd550-91f0-478b-bd59-04813a33556e"

type fixture struct {
	*Service
	t       *testing.T
	catalog *catalog.Catalog
	records *sqlite.Store
}

var loaded = sync.OnceValue(func() load.Result {
	return load.Load([]load.Layer{{Name: "test", Files: []specfiles.File{{Name: "a.cue", Data: []byte(clis)}}}}, load.Options{})
})

func newFixture(t *testing.T) fixture {
	t.Helper()
	res := loaded()
	if res.Catalog == nil {
		t.Fatal(res.Diagnostics)
	}
	place := filepath.Join(t.TempDir(), "logs.db")
	records, err := sqlite.Open(place)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { records.Close() })
	return fixture{&Service{Record: func() (Store, error) { return records, nil }, Place: place}, t, res.Catalog, records}
}

func (b fixture) cli(name string) *catalog.CLI {
	b.t.Helper()
	cli, ok := b.catalog.CLI(name)
	if !ok {
		b.t.Fatal(name)
	}
	return cli
}

func (b fixture) bind(cli, args string) *catalog.Call {
	b.t.Helper()
	call, wrong := b.cli(cli).Bind(json.RawMessage(`{"prompt":"x"`+strings.TrimSuffix(","+args, ",")+`}`), nil, func() string { return "fresh" })
	if wrong != nil {
		b.t.Fatal(wrong)
	}
	return call
}

func (b fixture) put(s store.Session) {
	b.t.Helper()
	if err := b.records.CreateSession(b.t.Context(), s); err != nil {
		b.t.Fatal(err)
	}
}

func TestWhichConversation(t *testing.T) {
	here, there := t.TempDir(), t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(here, link); err != nil {
		t.Fatal(err)
	}
	fresh := store.Session{Principal: store.Local, CLI: "acme", ID: uuid1, Native: uuid1, Active: true}
	begun := store.Session{Principal: store.Local, CLI: "acme", ID: uuid1, Native: uuid1, Begun: true, Active: true, Cwd: here}
	aside := store.Session{Principal: store.Local, CLI: "acme", ID: uuid2, Native: "n2", Begun: true}
	own := store.Session{Principal: store.Local, CLI: "zeta", ID: catalog.OwnPrefix + uuid1, Active: true}
	told := store.Session{Principal: store.Local, CLI: "zeta", ID: catalog.OwnPrefix + uuid1, Native: "z1", Begun: true, Active: true}
	opening := store.Session{Principal: store.Local, CLI: "zeta", ID: catalog.OwnPrefix + uuid1, Begun: true, Active: true, Opener: "J"}
	bound := store.Session{Principal: store.Local, CLI: "nova", ID: uuid1, Native: uuid1, Begun: true, Active: true, Cwd: here}
	old := store.Session{Principal: store.Local, CLI: "nova", ID: "review", Active: true}
	type had = []store.Session
	for _, c := range []struct {
		name  string
		had   had
		cli   string
		args  string
		dir   string
		outer string // session in which the call is made
		want  string // mode, session and words; or what is wrong
		note  string
	}{
		{name: "nothing is known", cli: "acme", want: "new  --id=fresh --soft"},
		{name: "the active one begins", had: had{fresh}, cli: "acme", want: "new " + uuid1 + " --id=" + uuid1 + " --soft"},
		{name: "the active one goes on", had: had{begun, aside}, cli: "acme", want: "resume " + uuid1 + " --resume=" + uuid1},
		{name: "and is continued", had: had{begun, aside}, cli: "acme", args: `"continueSession":true`, want: "resume " + uuid1 + " --resume=" + uuid1},
		{name: "or begun", had: had{fresh}, cli: "acme", args: `"continueSession":true`, want: "new " + uuid1 + " --id=" + uuid1 + " --soft"},
		{name: "named beats active", had: had{begun, aside}, cli: "acme", args: `"sessionId":"` + uuid2 + `"`, want: "resume " + uuid2 + " --resume=n2"},
		{name: "by the CLI's name", had: had{begun, aside}, cli: "acme", args: `"sessionId":"n2"`, want: "resume " + uuid2 + " --resume=n2"},
		{name: "named beats continued", had: had{begun, aside}, cli: "acme", args: `"sessionId":"n2","continueSession":true,"resumeLatest":true`, want: "resume " + uuid2 + " --resume=n2"},
		{name: "the newest of the CLI", had: had{begun}, cli: "acme", args: `"resumeLatest":true`, want: "latest  --last"},
		{name: "which beats the active one", had: had{begun}, cli: "acme", args: `"resumeLatest":true,"continueSession":true`, want: "latest  --last"},
		{name: "none is active", had: had{aside}, cli: "acme", args: `"continueSession":true`, want: "latest  --last"},
		{name: "a new one", had: had{begun}, cli: "acme", args: `"createNewSession":true`, want: "new  --id=fresh --soft"},
		{name: "a new one under an id", had: had{begun}, cli: "acme", args: `"createNewSession":true,"sessionId":"free"`, want: "new  --id=free --soft"},
		{name: "an id that is taken", had: had{begun}, cli: "acme", args: `"createNewSession":true,"sessionId":"` + uuid1 + `"`, want: "new  --id=" + uuid1 + " --soft"},
		{name: "an id that waits", had: had{fresh}, cli: "acme", args: `"createNewSession":true,"sessionId":"` + uuid1 + `"`, want: "new " + uuid1 + " --id=" + uuid1 + " --soft"},
		{name: "an id of another CLI for a new one", had: had{told}, cli: "acme", args: `"createNewSession":true,"sessionId":"z1"`, want: "new  --id=z1 --soft"},
		{name: "nobody knows it", had: had{begun}, cli: "acme", args: `"sessionId":"outside"`, want: "resume  --resume=outside"},
		{name: "another CLI", had: had{begun, told}, cli: "zeta", args: `"sessionId":"` + own.ID + `"`, want: "resume " + own.ID + " --resume=z1"},
		{name: "of another CLI", had: had{told}, cli: "acme", args: `"sessionId":"z1"`, want: "the session z1 belongs to zeta, not to acme"},
		{name: "one of ours that is gone", cli: "acme", args: `"sessionId":"` + own.ID + `"`, want: `there is no session "` + own.ID + `" of acme`},
		{name: "likewise", cli: "zeta", args: `"sessionId":"` + own.ID + `"`, want: `there is no session "` + own.ID + `" of zeta`},
		{name: "the CLI chooses the id", had: had{own}, cli: "zeta", want: "new " + own.ID + " "},
		{name: "and is asked by the one it chose", had: had{told}, cli: "zeta", want: "resume " + own.ID + " --resume=z1"},
		{name: "it has not chosen yet", had: had{opening}, cli: "zeta", want: "new " + own.ID + " "},
		{name: "the right directory", had: had{bound}, cli: "nova", dir: here, want: "resume " + uuid1 + " --resume=" + uuid1},
		{name: "by another name", had: had{bound}, cli: "nova", dir: link, want: "resume " + uuid1 + " --resume=" + uuid1},
		{name: "the wrong directory", had: had{bound}, cli: "nova", dir: there, want: "new  --id=fresh", note: "belongs to " + here},
		{name: "the wrong directory, continued", had: had{bound}, cli: "nova", args: `"continueSession":true`, dir: there, want: "the session " + uuid1 + " belongs to the directory " + here},
		{name: "the wrong directory, named", had: had{bound}, cli: "nova", args: `"sessionId":"` + uuid1 + `"`, dir: there, want: "the session " + uuid1 + " belongs to the directory " + here},
		{name: "directories do not matter", had: had{begun}, cli: "acme", dir: there, want: "resume " + uuid1 + " --resume=" + uuid1, note: "goes on in " + there},
		{name: "inside of its turn", had: had{begun}, cli: "acme", outer: uuid1, dir: here, want: "new  --id=fresh --soft", note: "job J"},
		{name: "inside of its turn, continued", had: had{begun}, cli: "acme", args: `"continueSession":true`, outer: uuid1, dir: here, want: "resume " + uuid1 + " --resume=" + uuid1},
		{name: "inside of another", had: had{begun}, cli: "acme", outer: uuid2, dir: here, want: "resume " + uuid1 + " --resume=" + uuid1},
		{name: "arguments for a new one", had: had{begun}, cli: "acme", args: `"deep":true`, want: "deep: does not apply when a conversation is continued (sessionId)"},
		{name: "an id that the CLI does not take", had: had{old}, cli: "nova", want: "new review --id=UUID"},
		{name: "no conversations", had: had{begun}, cli: "mira", want: "new  "},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newFixture(t)
			for _, s := range c.had {
				b.put(s)
			}
			b.Turns = turnOf(c.outer)
			dir := c.dir
			if dir == "" {
				dir = here
			}
			given := b.bind(c.cli, c.args)
			turn, err := b.Resolve(t.Context(), store.Local, given, dir)
			var refused *Refusal
			if errors.As(err, &refused) {
				if !strings.HasPrefix(refused.Text, c.want) || refused.Hint == "" {
					t.Errorf("refused: %+v, want %s", refused, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			command, wrong := turn.Command("")
			if wrong != nil {
				t.Fatal(wrong)
			}
			words := strings.Join(command.Args, " ")
			if id, ok := strings.CutPrefix(words, "--id="); ok && strings.HasSuffix(c.want, "=UUID") && b.cli("nova").AcceptsID(id) {
				words = "--id=UUID"
			}
			if got := fmt.Sprintf("%s %s %s", turn.Mode, turn.Session, words); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if notes := strings.Join(turn.Notes, "\n"); (notes != "") != (c.note != "") || !strings.Contains(notes, c.note) {
				t.Errorf("notes: %q, want %q", notes, c.note)
			}
			if turn.CorrelationID != given.CorrelationID || turn.Prompt != "x" {
				t.Errorf("%+v", turn)
			}
			if conversation := turn.Conversation(); turn.Session != "" && conversation != turn.Session {
				t.Errorf("it takes turns as %q", conversation)
			}
		})
	}
}

// TestTurnsAreAlike: whoever makes the first call of a session again, and finds it begun,
// makes the same call; in another session it is another.
func TestTurnsAreAlike(t *testing.T) {
	b := newFixture(t)
	for _, cli := range []string{"acme", "zeta"} {
		s := store.Session{Principal: store.Local, CLI: cli, ID: catalog.OwnPrefix + uuid1, Native: "z1"}
		key := func(change func(*store.Session), args string) string {
			t.Helper()
			s := s
			change(&s)
			turn, err := continueSession(b.bind(cli, args), s, true)
			if err != nil {
				t.Fatal(err)
			}
			mark, command, wrong := turn.Canonical()
			if wrong != nil {
				t.Fatal(wrong)
			}
			text, err := json.Marshal([]any{mark, command.Args})
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		first := key(func(s *store.Session) { s.Native = "" }, "")
		if later := key(func(s *store.Session) { s.Begun = true }, ""); first != later {
			t.Errorf("the first turn %s\na later one   %s", first, later)
		}
		if other := key(func(s *store.Session) { s.ID += "x" }, ""); first == other {
			t.Errorf("another session: %s", other)
		}
		mark, _, _ := b.bind(cli, "").Canonical()
		if text, _ := json.Marshal(mark); strings.Contains(first, string(text)) {
			t.Errorf("without a session: %s", text)
		}
	}
	var marks [][]any
	for _, args := range []string{"", `"deep":true`} {
		turn, err := continueSession(b.bind("acme", args), store.Session{Principal: store.Local, CLI: "acme", ID: uuid1, Native: uuid1}, true)
		if err != nil {
			t.Fatal(err)
		}
		mark, _, _ := turn.Canonical()
		marks = append(marks, mark)
	}
	if reflect.DeepEqual(marks[0], marks[1]) {
		t.Errorf("other arguments: %v", marks)
	}
}

func TestWhatEndsMean(t *testing.T) {
	b := newFixture(t)
	type outcome = store.Outcome
	ok, failed := store.EndOK, store.EndError
	for _, c := range []struct {
		name string
		cli  string
		job  store.Job
		want *store.Turn
	}{
		{"no conversations", "mira", store.Job{Outcome: outcome{Ending: ok}}, nil},
		{"a new one", "acme", store.Job{Mode: "new", SessionID: "a", Outcome: outcome{Ending: ok, NativeSessionID: "a"}}, &store.Turn{Native: "a", Answered: true, Began: true}},
		{"that failed at once", "acme", store.Job{Mode: "new", SessionID: "a", Outcome: outcome{Ending: failed}}, &store.Turn{Undone: true, Reset: "a"}},
		{"that failed later", "acme", store.Job{Mode: "new", SessionID: "a", Outcome: outcome{Ending: failed, NativeSessionID: "a"}}, &store.Turn{Native: "a", Began: true}},
		{"a first turn", "acme", store.Job{Mode: "new", Session: "s", SessionID: "a", Outcome: outcome{Ending: ok, NativeSessionID: "a"}}, &store.Turn{Session: "s", Native: "a", Answered: true, Began: true}},
		{"its id is in use", "acme", store.Job{Mode: "new", Session: "s", SessionID: "a", Outcome: outcome{Ending: failed, ErrorClass: "session"}}, &store.Turn{Session: "s", Began: true}},
		{"it was canceled", "acme", store.Job{Mode: "new", Session: "s", SessionID: "a", Outcome: outcome{Ending: store.EndCanceled}}, &store.Turn{Session: "s", Began: true}},
		{"it never ran", "acme", store.Job{Mode: "new", Session: "s", SessionID: "a", Outcome: outcome{Ending: store.EndStartFailed}}, &store.Turn{Session: "s", Undone: true, Reset: "a"}},
		{"a chosen id", "zeta", store.Job{Mode: "new", Session: "s", Outcome: outcome{Ending: ok, NativeSessionID: "z7"}}, &store.Turn{Session: "s", Native: "z7", Answered: true, Began: true}},
		{"none was told", "zeta", store.Job{Mode: "new", Session: "s", Outcome: outcome{Ending: ok}}, &store.Turn{Session: "s", Undone: true}},
		{"nothing that it could be asked by", "zeta", store.Job{Mode: "new", Session: "s", Outcome: outcome{Ending: ok, NativeSessionID: "--evil"}}, &store.Turn{Session: "s", Undone: true}},
		{"canceled before it was told", "zeta", store.Job{Mode: "new", Session: "s", Outcome: outcome{Ending: store.EndCanceled}}, &store.Turn{Session: "s", Undone: true}},
		{"a later turn", "zeta", store.Job{Mode: "resume", Session: "s", SessionID: "z7", Outcome: outcome{Ending: ok, NativeSessionID: "z7"}}, &store.Turn{Session: "s", Native: "z7", Answered: true, Began: true}},
		{"it goes on elsewhere", "zeta", store.Job{Mode: "resume", Session: "s", SessionID: "z7", Outcome: outcome{Ending: ok, NativeSessionID: "z8"}}, &store.Turn{Session: "s", Native: "z8", Answered: true, Began: true}},
		{"another answered", "zeta", store.Job{Mode: "resume", Session: "s", SessionID: "z7", Outcome: outcome{Ending: failed, ErrorClass: "session", NativeSessionID: "z8"}}, &store.Turn{Session: "s", Undone: true}},
		{"it is unknown", "acme", store.Job{Mode: "resume", Session: "s", SessionID: "a", Outcome: outcome{Ending: failed, ErrorClass: "session"}}, &store.Turn{Session: "s", Undone: true, Reset: "another"}},
		{"it failed otherwise", "acme", store.Job{Mode: "resume", Session: "s", SessionID: "a", Outcome: outcome{Ending: failed, ErrorClass: "auth"}}, &store.Turn{Session: "s"}},
		{"the newest", "acme", store.Job{Mode: "latest", Outcome: outcome{Ending: ok, NativeSessionID: "a"}}, &store.Turn{Native: "a", Answered: true, Began: true}},
		{"there is no spec any more", "gone", store.Job{Mode: "resume", Session: "s", SessionID: "a", Outcome: outcome{Ending: ok, NativeSessionID: "a"}}, &store.Turn{Session: "s", Answered: true, Began: true}},
		{"nor was there a session", "gone", store.Job{Mode: "resume", SessionID: "a", Outcome: outcome{Ending: ok, NativeSessionID: "a"}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			cli, _ := b.catalog.CLI(c.cli)
			c.job.CLI, c.job.Cwd = c.cli, "/d"
			if c.want != nil {
				c.want.CLI, c.want.Cwd = c.cli, "/d"
			}
			got := Ended(cli, c.job)
			if got != nil && got.Reset != "" && got.Reset != c.job.SessionID {
				got.Reset = "another"
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("\ngot  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestService(t *testing.T) {
	b := newFixture(t)
	ctx := t.Context()
	a, err := b.Create(ctx, store.Local, b.cli("acme"), "about it", true)
	if err != nil || a.ID != a.Native || !b.cli("nova").AcceptsID(a.ID) || !a.Active || a.Description != "about it" || a.Begun {
		t.Errorf("%+v, %v", a, err)
	}
	z, err := b.Create(ctx, store.Local, b.cli("zeta"), "", false)
	if err != nil || !catalog.OwnID(z.ID) || z.Native != "" || z.Active {
		t.Errorf("%+v, %v", z, err)
	}
	if _, err := b.Create(ctx, store.Local, b.cli("mira"), "", true); err == nil || !strings.Contains(err.Error(), "Mira has no conversations") {
		t.Error(err)
	}
	if list, err := b.List(ctx, store.Local, "", 0); err != nil || list.Total != 2 || len(list.Sessions) != 2 || !reflect.DeepEqual(list.Active, map[string]string{"acme": a.ID}) {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := b.List(ctx, store.Local, "zeta", 0); err != nil || list.Total != 1 || len(list.Active) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if s, err := b.Activate(ctx, store.Local, b.cli("zeta"), z.ID); err != nil || !s.Active || s.ID != z.ID {
		t.Errorf("%+v, %v", s, err)
	}
	for _, id := range []string{a.ID, "none"} {
		if _, err := b.Activate(ctx, store.Local, b.cli("zeta"), id); err == nil {
			t.Errorf("%s is active", id)
		}
	}
	if _, err := b.Activate(ctx, store.Local, b.cli("zeta"), ""); err != nil {
		t.Error(err)
	}
	if s, err := b.Get(ctx, store.Local, "", z.ID); err != nil || s.Active {
		t.Errorf("%+v, %v", s, err)
	}
	b.put(store.Session{Principal: store.Local, CLI: "zeta", ID: "z9", Native: a.ID})
	if _, err := b.Get(ctx, store.Local, "", a.ID); err == nil || !strings.Contains(err.Error(), "both") {
		t.Errorf("two have it: %v", err)
	}
	if s, err := b.Delete(ctx, store.Local, "zeta", a.ID); err != nil || s.ID != "z9" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := b.Delete(ctx, store.Local, "zeta", "z9"); err == nil || !strings.Contains(err.Error(), `no session "z9" of zeta`) {
		t.Error(err)
	}
	if n, err := b.DeleteAll(ctx, store.Local, ""); n != 2 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestPreviewMakesNoRecord(t *testing.T) {
	b := newFixture(t)
	opened := false
	b.Record = func() (Store, error) { opened = true; return b.records, nil }
	b.Place = filepath.Join(t.TempDir(), "none.db")
	call := b.bind("acme", "")
	if turn, err := b.Preview(t.Context(), store.Local, call, "/"); err != nil || turn != call || opened {
		t.Errorf("%+v, %v, opened: %v", turn, err, opened)
	}
	b.Place = ""
	if _, err := b.Preview(t.Context(), store.Local, call, "/"); err != nil || !opened {
		t.Errorf("%v, opened: %v", err, opened)
	}
}

const legacyFile = `{"sessions": {
	"` + uuid1 + `": {"id": "` + uuid1 + `", "cli": "acme", "createdAt": "2026-01-02T03:04:05.678Z", "lastUsedAt": "2026-02-02T03:04:05Z", "description": "Acme Session", "metadata": {"x": 1}},
	"old-1": {"id": "old-1", "cli": "zeta", "createdAt": "2026-01-02T03:04:05Z", "lastUsedAt": "2026-01-02T03:04:05Z"},
	"api-1": {"id": "api-1", "cli": "elsewhere"}, "": {"cli": "acme"}, "none": {}},
	"activeSession": {"acme": "` + uuid1 + `", "zeta": null}}`

func TestSessionsOfAnEarlierGateway(t *testing.T) {
	b := newFixture(t)
	b.Legacy = filepath.Join(t.TempDir(), "sessions.json")
	if list, err := b.List(t.Context(), store.Local, "", 0); err != nil || list.Total != 0 || b.Problem() != nil {
		t.Errorf("%+v, %v, %v", list, err, b.Problem())
	}
	if err := os.WriteFile(b.Legacy, []byte(legacyFile), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // each is another gateway
		b.Service = &Service{Record: b.Record, Legacy: b.Legacy}
		list, err := b.List(t.Context(), store.Local, "", 0)
		if err != nil || list.Total != 3 || !reflect.DeepEqual(list.Active, map[string]string{"acme": uuid1}) {
			t.Errorf("%+v, %v", list, err)
		}
		s, err := b.Get(t.Context(), store.Local, "acme", uuid1)
		if err != nil || s.Description != "Acme Session" || !s.Created.Equal(time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)) || !s.Used.Equal(time.Date(2026, 2, 2, 3, 4, 5, 0, time.UTC)) || s.Begun {
			t.Errorf("%+v, %v", s, err)
		}
	}
	if turn, err := b.Resolve(t.Context(), store.Local, b.bind("acme", ""), "/"); err != nil || turn.Mode != lang.New || turn.SessionID != uuid1 {
		t.Errorf("%+v, %v", turn, err)
	}
	// Its ids may be such as the CLI does not take.
	if turn, err := b.Resolve(t.Context(), store.Local, b.bind("acme", `"sessionId":"old-1","createNewSession":true`), "/"); err != nil || turn.Session != "" {
		t.Errorf("%+v, %v", turn, err)
	}
	if err := b.records.DeleteSession(t.Context(), store.Local, "acme", uuid1); err != nil {
		t.Fatal(err)
	}
	b.Service = &Service{Record: b.Record, Legacy: b.Legacy}
	if list, err := b.List(t.Context(), store.Local, "", 0); err != nil || list.Total != 2 {
		t.Errorf("what was deleted is back: %+v, %v", list, err)
	}
	if text, err := os.ReadFile(b.Legacy); err != nil || string(text) != legacyFile {
		t.Errorf("the file changed: %v", err)
	}
}

func TestABrokenFileIsReported(t *testing.T) {
	for name, text := range map[string]string{"torn": `{"sessions": {`, "a list": `[]`, "a time": `{"sessions": {"a": {"cli": "acme", "createdAt": "yesterday"}}}`, "huge": "{" + strings.Repeat(" ", maxLegacy) + "}"} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t)
			b.Legacy = filepath.Join(t.TempDir(), "sessions.json")
			if err := os.WriteFile(b.Legacy, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := b.List(t.Context(), store.Local, "", 0)
			if err != nil || list.Total != 0 || b.Problem() == nil || !strings.Contains(b.Problem().Error(), b.Legacy) {
				t.Errorf("%+v, %v, %v", list, err, b.Problem())
			}
			// Once it is repaired, the next gateway imports it.
			if err := os.WriteFile(b.Legacy, []byte(legacyFile), 0o600); err != nil {
				t.Fatal(err)
			}
			b.Service = &Service{Record: b.Record, Legacy: b.Legacy}
			if list, err := b.List(t.Context(), store.Local, "", 0); err != nil || list.Total != 3 || b.Problem() != nil {
				t.Errorf("%+v, %v, %v", list, err, b.Problem())
			}
		})
	}
}

// turnOf is a world in which this gateway runs in a turn of one session.
type turnOf string

func (t turnOf) EnclosingTurn(_ context.Context, _, session string) string {
	if session == string(t) {
		return "J"
	}
	return ""
}
