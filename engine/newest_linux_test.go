package engine_test

import (
	"strings"
	"testing"
)

// newestClient has two further CLIs: one knows no newest conversation, one fails where
// there is none.
func newestClient(t *testing.T) sessionsClient {
	t.Helper()
	talking := t.TempDir()
	e, home := opened(t, talkers(t)+`
cli: plain: words & {title: "Plain", argv: line, session: {create: ["create={id}"], resume: ["resume={id}"], capture: "event.id"}}
cli: picky: words & {title: "Picky", argv: line, session: {create: ["create={id}"], resume: ["resume={id}"], latest: ["resume=nothing"], capture: "event.id"}}
`, talks+"="+talking)
	return sessionsClient{e, t, home, talking}
}

// TestNewestOfTheBook: of a CLI that cannot find its newest conversation, the one that
// was used last in the directory goes on.
func TestNewestSession(t *testing.T) {
	d := newestClient(t)
	here, there := t.TempDir(), t.TempDir()
	for _, how := range []string{"resumeLatest", "continueSession"} {
		began := d.turn("plain", args{how: true, "workingDir": here}, "turn 1")
		if len(began.Warnings) != 1 || !strings.Contains(began.Warnings[0], "none is known that could go on") {
			t.Errorf("%s: %q", how, began.Warnings)
		}
		d.turn("plain", args{"workingDir": there}, "turn 1")
		if again := d.turn("plain", args{how: true, "workingDir": here}, "turn 2"); again.SessionID != began.SessionID || len(again.Warnings) > 0 {
			t.Errorf("%s: %+v", how, again)
		}
		d.ask("session_clear_all", args{"cli": "plain"})
	}
	active := d.ask("session_create", args{"cli": "plain"})
	d.turn("plain", args{"createNewSession": true, "workingDir": here}, "turn 1")
	if first := d.turn("plain", args{"continueSession": true, "workingDir": here}, "turn 1"); first.SessionID != active.SessionID {
		t.Errorf("the active one did not begin: %+v", first)
	}
	if latest := d.turn("plain", args{"resumeLatest": true, "workingDir": here}, "turn 2"); latest.SessionID != active.SessionID {
		t.Errorf("not the last used: %+v", latest)
	}
}

// TestNothingToContinueIsBegun: a CLI that fails because there is nothing to continue is
// called again, for a new conversation. No caller waits for a job.
func TestNothingToContinueIsBegun(t *testing.T) {
	d := newestClient(t)
	for _, how := range []string{"resumeLatest", "continueSession"} {
		began := d.turn("picky", args{how: true}, "turn 1")
		if len(began.Warnings) != 1 || !strings.Contains(began.Warnings[0], "Picky found none that could go on") {
			t.Errorf("%s: %q", how, began.Warnings)
		}
		d.turn("picky", args{"sessionId": began.SessionID}, "turn 2")
	}
	job := d.ask("picky_request_async", args{"prompt": "x", "resumeLatest": true})
	if end := d.ask("llm_job_result", args{"jobId": job.JobID, "waitMs": 60000}); end.Error.Class != "session" {
		t.Errorf("%+v", end)
	}
}

// TestWhatGivesWay: who asks for a new conversation gets one, whatever else is asked for.
func TestWhatGivesWay(t *testing.T) {
	eachTalker(t, func(t *testing.T, d sessionsClient, cli string) {
		first := d.turn(cli, nil, "turn 1")
		for _, how := range []args{{"continueSession": true}, {"resumeLatest": true}} {
			how["createNewSession"] = true
			if r := d.turn(cli, how, "turn 1"); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "createNewSession beats") || r.SessionID == first.SessionID {
				t.Errorf("%v: %+v", how, r)
			}
		}
		if cli != "chooser" {
			return
		}
		for _, id := range []string{first.SessionID, "a name", "gw-00000000-0000-4000-8000-000000000000"} {
			if r := d.turn(cli, args{"sessionId": id, "createNewSession": true}, "turn 1"); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "chooses the ids of new ones itself") || r.SessionID == id {
				t.Errorf("%s: %+v", id, r)
			}
		}
		s := d.ask("session_create", args{"cli": cli})
		if r := d.turn(cli, args{"sessionId": s.SessionID, "createNewSession": true}, "turn 1"); len(r.Warnings) != 0 {
			t.Errorf("%+v", r)
		}
		d.turn(cli, args{"sessionId": s.SessionID}, "turn 2")
	})
}

// TestNoConversations: where none can go on, to ask for a new one is no mistake.
func TestNoConversations(t *testing.T) {
	e, home := opened(t, fake(t))
	d := sessionsClient{e, t, home, ""}
	d.turn("acme", args{"do": []string{"out=yes"}, "createNewSession": true, "continueSession": false}, "yes")
	for _, how := range []args{{"sessionId": "x"}, {"continueSession": true}, {"resumeLatest": true}} {
		how["prompt"] = "x"
		if r := d.ask("acme_request", how); r.Error.Class != "invalid_call" || !strings.Contains(r.Error.Message, "conversations of acme cannot be continued; cli.acme.session would say how") {
			t.Errorf("%v: %+v", how, r)
		}
	}
}
