package sqlite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/llm-cli-gateway/gateway/engine/store"
)

// The test binary plays other gateways: with this variable it runs a role on the
// database named by its last argument, after its standard input has ended.
const roleVariable = "STORE_TEST_ROLE"

var roles = map[string]func(string) error{
	"visit": visit, "inspect": inspect, "write": writeRows, "forever": writeForever, "converse": converse, "migrate": migrateAndStop, "spend": spend,
}

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	io.Copy(io.Discard, os.Stdin)
	if err := roles[role](os.Args[len(os.Args)-1]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// visit is the life of a gateway that takes one call.
func visit(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	return errors.Join(writeOne(s, io.Discard), s.Close())
}

// inspect only looks.
func inspect(path string) error {
	_, err := Inspect(context.Background(), path)
	return err
}

// writeRows is a busy gateway.
func writeRows(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	for range 100 {
		if err := writeOne(s, io.Discard); err != nil {
			return err
		}
	}
	return s.Close()
}

// writeForever says what was acknowledged, until it is killed.
func writeForever(path string) error {
	s, err := Open(path)
	if err != nil {
		return err
	}
	for {
		if err := writeOne(s, os.Stdout); err != nil {
			return err
		}
	}
}

func writeOne(s *Store, acknowledged io.Writer) error {
	id := store.NewID()
	if err := s.Begin(ctx, store.Job{Principal: store.Local, ID: id, Tool: "acme_request", Prompt: strings.Repeat("p", 2000)}); err != nil {
		return err
	}
	fmt.Fprintln(acknowledged, "begun", id)
	if err := s.Finish(ctx, id, store.Outcome{Ending: store.EndOK, Response: strings.Repeat("r", 2000)}, nil); err != nil {
		return err
	}
	fmt.Fprintln(acknowledged, "done", id)
	return nil
}

type other struct {
	process *os.Process
	start   *os.File // closed: go
	output  *bufio.Reader
}

func startOther(t *testing.T, role, binary, path string, as *syscall.SysProcAttr) *other {
	t.Helper()
	inR, inW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	outR, outW, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	process, err := os.StartProcess(binary, []string{binary, path}, &os.ProcAttr{
		Env:   append(os.Environ(), roleVariable+"="+role),
		Files: []*os.File{inR, outW, outW},
		Sys:   as,
	})
	inR.Close()
	outW.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		process.Kill()
		process.Wait()
		inW.Close()
		outR.Close()
	})
	return &other{process, inW, bufio.NewReader(outR)}
}

// end waits for the process and returns what it said.
func (o *other) end(t *testing.T) (said string, ok bool) {
	t.Helper()
	all, err := io.ReadAll(o.output)
	if err != nil {
		t.Fatal(err)
	}
	state, err := o.process.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return string(all), state.Success()
}

// together runs n processes in one role that start at the same moment.
func together(t *testing.T, n int, role, path string) {
	t.Helper()
	others := make([]*other, n)
	for i := range others {
		others[i] = startOther(t, role, os.Args[0], path, nil)
	}
	for _, o := range others {
		o.start.Close()
	}
	for _, o := range others {
		if said, ok := o.end(t); !ok {
			t.Errorf("a process failed: %s", said)
		}
	}
}

func wantSound(t *testing.T, s *Store, doneRows int) {
	t.Helper()
	var rows, done int
	var verdict string
	err := s.reader.QueryRow("SELECT count(*), count(*) FILTER (WHERE state='done'), (SELECT integrity_check FROM pragma_integrity_check) FROM job").Scan(&rows, &done, &verdict)
	if err != nil || verdict != "ok" {
		t.Errorf("integrity: %s, %v", verdict, err)
	}
	if doneRows >= 0 && (rows != doneRows || done != doneRows) {
		t.Errorf("%d rows, %d done; want %d", rows, done, doneRows)
	}
}

func TestFirstOpenRace(t *testing.T) {
	const rounds, processes = 8, 12
	for range rounds {
		path := filepath.Join(t.TempDir(), "new", "folder", "calls.db")
		together(t, processes, "visit", path)
		wantSound(t, mustOpen(t, path), processes)
	}
}

func TestManyProcessesWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	together(t, 8, "write", path)
	wantSound(t, mustOpen(t, path), 800)
}

// T34: fifty writers are killed.
func TestKilledWritersLoseNothingAcknowledged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls.db")
	for round := range 17 {
		var others []*other
		for range 3 {
			o := startOther(t, "forever", os.Args[0], path, nil)
			o.start.Close()
			others = append(others, o)
		}
		var said strings.Builder
		for i, o := range others {
			for range 5 + (7*round+3*i)%31 { // die at ever other points of the two writes
				line, err := o.output.ReadString('\n')
				if err != nil {
					t.Fatalf("%q, %v", line, err)
				}
				said.WriteString(line)
			}
			o.process.Kill()
		}
		for _, o := range others {
			rest, _ := o.end(t)
			said.WriteString(rest[:strings.LastIndexByte(rest, '\n')+1])
		}

		s := mustOpen(t, path)
		for line := range strings.Lines(said.String()) {
			verb, id, _ := strings.Cut(strings.TrimSpace(line), " ")
			job, err := s.Job(ctx, store.Local, id)
			if err != nil {
				t.Errorf("acknowledged and lost: %v", err)
			}
			if verb == "done" && job.State != store.Done {
				t.Errorf("%s was finished and is %s", id, job.State)
			}
		}
		wantSound(t, s, -1)
	}
}

func TestOtherProcessFinishes(t *testing.T) {
	a := newStore(t)
	b := mustOpen(t, a.path)
	id := mustBegin(t, a, store.Job{})
	if err := b.Finish(ctx, id, store.Outcome{Ending: store.EndLost}, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.Finish(ctx, id, store.Outcome{Ending: store.EndOK}, nil); !errors.Is(err, store.ErrDone) {
		t.Errorf("got %v, want ErrDone", err)
	}
}
