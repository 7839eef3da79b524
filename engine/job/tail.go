package job

import (
	"os"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/process"
)

// tail follows what a job prints, to tell what it does.
type tail struct {
	r        *Runner
	job      call.Job
	files    *spools
	progress *extract.Progress
	secrets  redactor
	at       [2]int64
}

// maxLook bounds what one look reads of a stream; of a flood the middle is left out.
const maxLook = 1 << 20

// Tail follows a job until it is closed.
func (r *Runner) Tail(job call.Job) call.Tail { return &tail{r: r, job: job} }

// Look is what the job does by now, in one line of at most 200 characters; "" if nothing
// is known.
func (t *tail) Look() string {
	if t.progress == nil && !t.open() {
		return ""
	}
	stdout, stderr, err := t.files.captured()
	if err != nil {
		return t.tell()
	}
	// What the last one says counts, and the answer is on standard output.
	t.read(1, extract.Stderr, t.files.stderr, stderr)
	t.read(0, extract.Stdout, t.files.stdout, stdout)
	return t.tell()
}

func (t *tail) tell() string { return t.secrets.clean(t.progress.Tail()) }

// open finds the output of the job, and by what it is read. Both may come later: a
// queued job has no program yet.
func (t *tail) open() bool {
	cli, ok := t.r.Current().CLI(t.job.Row.CLI)
	if !ok {
		return false
	}
	files, err := t.r.spoolsOf(t.job.Row.ID)
	if err != nil {
		return false
	}
	secrets, known := t.r.secretsOf(t.job.Row)
	if !known {
		files.close()
		return false
	}
	t.files, t.progress, t.secrets = files, cli.Progress(), secrets
	return true
}

// read takes in what is new of a stream.
func (t *tail) read(i int, stream extract.Stream, file *os.File, c process.Capture) {
	from := max(t.at[i], c.Size-maxLook)
	if from > t.at[i] {
		t.progress.Skip(stream)
	}
	if c.Size <= from {
		return
	}
	b := make([]byte, c.Size-from)
	n, _ := file.ReadAt(b, from) // what cannot be read is looked for again
	t.progress.Write(stream, b[:n])
	t.at[i] = from + int64(n)
}

// Close ends the following.
func (t *tail) Close() {
	if t.files != nil {
		t.files.close()
	}
}
