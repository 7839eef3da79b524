package job

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/lang"
	"github.com/llm-cli-gateway/gateway/engine/store"
	"github.com/llm-cli-gateway/gateway/testdata/disk"
)

// The test of a power cut runs itself as other processes: gateways that are at work on
// the disk, and the machine after its next start. The variable says as which.
const powerVariable = "JOB_TEST_POWER"

// powerCut is what is known of a disk whose power went away.
type powerCut struct {
	Image string   // of the disk
	Root  string   // where it was mounted, and is again
	Begun []string // jobs that were accepted before
	Done  []string // those among them whose answer had been given
	Ran   []string // jobs whose program had begun
}

// TestPowerCut: T34. The power goes away under gateways and supervisors that write. Every
// job that was accepted is on record, what was answered is there as it was, what is said
// to have ended well is complete, and what is said never to have begun did not.
func TestPowerCut(t *testing.T) {
	switch role, arg, _ := strings.Cut(os.Getenv(powerVariable), "="); role {
	case "work":
		work(t, arg)
		return
	case "look":
		look(t, arg)
		return
	}
	const cuts, gateways = 12, 2
	d, effect := disk.NewCuttable(t, 48<<20), t.TempDir()
	var begun, done list
	said, over := make(chan *worker, 1000), make(chan string, gateways)
	var all []*worker
	for range gateways {
		all = append(all, startWorker(t, d.Root+","+effect, over, func(w *worker, verb, id string) {
			if verb == "begun" {
				begun.add(id)
				w = nil
			} else {
				done.add(id)
			}
			said <- w
		}))
	}
	var seen []powerCut
	for range cuts {
		for range 1 + rand.N(10) {
			select {
			case w := <-said:
				if w != nil { // it may make another call, and no more: the disk has an end
					w.grant(t)
				}
			case rest := <-over:
				t.Fatalf("a gateway ended: %s", rest)
			}
		}
		cut := powerCut{Root: d.Root, Done: done.all()}
		cut.Begun = begun.all() // who is done has begun
		entries, err := os.ReadDir(effect)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			cut.Ran = append(cut.Ran, e.Name())
		}
		cut.Image = d.Cut()
		seen = append(seen, cut)
	}
	for _, w := range all {
		w.in.Close()
		rest := <-over
		if err := w.cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, rest)
		}
	}
	text, err := json.Marshal(seen)
	if err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(t.TempDir(), "cuts.json")
	if err := os.WriteFile(known, text, 0o600); err != nil {
		t.Fatal(err)
	}
	after := itself("look=" + known)
	after.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	out, err := after.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		t.Log(strings.TrimSpace(line))
	}
	if err != nil {
		t.Error("after the cuts: ", err)
	}
}

// list is a list that may be added to and read at once.
type list struct {
	mu  sync.Mutex
	ids []string
}

func (l *list) add(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ids = append(l.ids, id)
}

func (l *list) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string{}, l.ids...)
}

func itself(role string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^TestPowerCut$", "-test.count=1", fmt.Sprintf("-test.v=%t", testing.Verbose()))
	cmd.Env = append(os.Environ(), powerVariable+"="+role)
	return cmd
}

// worker is a process that makes as many calls as it is granted, until its input ends.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
}

// startWorker starts one that may make a few calls. What it acknowledges is reported, and at
// its end what else it said.
func startWorker(t *testing.T, arg string, over chan<- string, report func(w *worker, verb, id string)) *worker {
	t.Helper()
	w := &worker{cmd: itself("work=" + arg)}
	in, err := w.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	w.in, w.cmd.Stderr = in, w.cmd.Stdout
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.cmd.Process.Kill() })
	go func() {
		var rest strings.Builder
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if verb, id, ok := strings.Cut(lines.Text(), " "); ok && store.ValidID(id) {
				report(w, verb, id)
			} else {
				rest.WriteString(lines.Text() + "\n")
			}
		}
		over <- rest.String()
	}()
	for range 5 {
		w.grant(t)
	}
	return w
}

func (w *worker) grant(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(w.in, "+"); err != nil {
		t.Fatal(err)
	}
}

// powerSpec lets equal calls join. The answer is all that is printed, so that nothing in
// it says whether it is complete.
const powerSpec = "}\ngateway: jobs: dedupMs: 3600000\nclient: c: {title: \"c\", add: \"c\""

// work is a gateway with some callers.
func work(t *testing.T, arg string) {
	root, effect, _ := strings.Cut(arg, ",")
	b := newFixtureIn(t, filepath.Join(root, "home"), powerSpec)
	var callers sync.WaitGroup
	for range 3 {
		callers.Go(func() {
			for grant := make([]byte, 1); ; {
				if _, err := os.Stdin.Read(grant); err != nil {
					return
				}
				size := 1 + rand.N(100)
				switch rand.N(20) {
				case 0:
					size += store.MaxResponse
				case 1, 2:
					size += 100_000
				}
				bound := b.bind(store.NewID(), map[string]any{"do": []string{"effect=" + effect, fmt.Sprintf("fill=%d", size)}})
				job, failure := b.runner.send(t.Context(), call.Request{Principal: store.Local, Catalog: b.catalog, Bound: bound, Dir: root})
				if failure != nil {
					t.Error(failure)
					return
				}
				fmt.Println("begun", job.Row.ID)
				end, err := b.runner.Wait(t.Context(), job, 0)
				if err != nil || end.State != call.Completed || len(end.Notes) > 0 {
					t.Errorf("%+v, %v", end, err)
					return
				}
				fmt.Println("done", job.Row.ID)
			}
		})
	}
	callers.Wait()
}

// look is the machine after its next start, with each of the disks as its own.
func look(t *testing.T, known string) {
	// The boot id of the system, which only we see.
	boot := filepath.Join(t.TempDir(), "boot_id")
	if err := os.WriteFile(boot, []byte("00000000-0000-4000-8000-000000000000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount(boot, "/proc/sys/kernel/random/boot_id", "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	var cuts []powerCut
	if err := json.Unmarshal(text, &cuts); err != nil {
		t.Fatal(err)
	}
	for i, cut := range cuts {
		t.Run(fmt.Sprint("cut ", i+1), func(t *testing.T) { cut.check(t) })
	}
}

func (cut powerCut) check(t *testing.T) {
	disk.Mount(t, cut.Image, cut.Root)
	b := newFixtureIn(t, filepath.Join(cut.Root, "home"), powerSpec)
	b.sound()
	if err := b.runner.Reconcile(t.Context()); err != nil {
		t.Error(err)
	}
	for _, id := range cut.Begun {
		if _, err := b.runner.Status(t.Context(), store.Local, id); err != nil {
			t.Errorf("accepted and lost: %v", err)
		}
	}
	for _, id := range cut.Done {
		if j, err := b.runner.Status(t.Context(), store.Local, id); err != nil || j.Row.Outcome.Ending != store.EndOK {
			t.Errorf("answered, and now: %+v, %v", j, err)
		}
	}
	for _, id := range cut.Ran {
		j, err := b.runner.Status(t.Context(), store.Local, id)
		if err != nil || j.Row.Outcome.Ending == store.EndStartFailed {
			t.Errorf("its program ran, and now: %+v, %v", j, err)
		}
	}
	states := map[call.State]int{}
	f := store.Filter{Principal: store.Local, Limit: 500}
	for {
		rows, err := b.store.Jobs(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			f.Before = row.ID
			states[cut.whole(t, b, row)]++
		}
		if len(rows) < f.Limit {
			break
		}
	}
	t.Logf("%d accepted, %d answered; now %v", len(cut.Begun), len(cut.Done), states)

	later := time.Now().Add(2 * time.Hour) // what is not on record counts as abandoned by then
	if _, err := b.runner.Import(t.Context(), later); err != nil {
		t.Error(err)
	}
	if _, err := b.runner.Prune(t.Context(), later); err != nil {
		t.Error(err)
	}
	b.sound()
}

// whole checks one job: what it says of itself is so, and on record.
func (cut powerCut) whole(t *testing.T, b *fixture, row store.Job) call.State {
	res, err := b.runner.Result(t.Context(), store.Local, row.ID, 0, 1<<30)
	if err != nil {
		t.Errorf("%s: %v", row.ID, err)
		return ""
	}
	var args struct{ Do []string }
	var size int
	if err := errors.Join(json.Unmarshal(row.Args, &args), second(fmt.Sscanf(args.Do[1], "fill=%d", &size))); err != nil {
		t.Fatal(err)
	}
	switch res.State {
	case call.Completed:
		if want := strings.Repeat("a", size); res.Response.Text != want || res.Outcome.Answer.Failure != nil || len(res.Outcome.Warnings) > 0 {
			t.Errorf("%s ended well, and of %d bytes there are %d: %+v, %q", row.ID, size, res.Response.Total, res.Outcome.Answer.Failure, res.Outcome.Warnings)
		}
		if row.State == store.Done && len(res.Row.Outcome.Response) != min(size, store.MaxResponse) {
			t.Errorf("%s ended well, and of %d bytes %d are on record", row.ID, size, len(res.Row.Outcome.Response))
		}
	case call.Queued, call.Running:
		t.Errorf("%s is %s after the power went away: %+v", row.ID, res.State, res.Row)
	case call.Orphaned, call.Failed:
		if res.Outcome.Answer.Failure == nil || res.Outcome.Answer.Failure.Class == lang.ClassError {
			t.Errorf("%s: %+v", row.ID, res.Outcome.Answer.Failure)
		}
	}
	if row.State != store.Done {
		t.Errorf("%s is %s, and that is not on record", row.ID, res.State)
	}
	return res.State
}

func second(_ int, err error) error { return err }
