package job

import (
	"os"

	"github.com/llm-cli-gateway/gateway/engine/call"
	"github.com/llm-cli-gateway/gateway/engine/catalog/extract"
	"github.com/llm-cli-gateway/gateway/engine/job/redaction"
	"github.com/llm-cli-gateway/gateway/engine/job/spool"
	"github.com/llm-cli-gateway/gateway/engine/process"
)

// tail follows what a job prints, to report its progress.
type tail struct {
	r        *Runner
	job      call.Job
	files    *spool.Output
	progress *extract.Progress
	secrets  redaction.Redactor
	offset   [2]int64
}

// maxRead bounds what one call of Look reads of a stream; the middle of a longer output is skipped.
const maxRead = 1 << 20

// Tail follows a job until it is closed.
func (r *Runner) Tail(job call.Job) call.Tail { return &tail{r: r, job: job} }

// Look is what the job does by now, in one line of at most 200 characters; "" if nothing
// is known.
func (t *tail) Look() string {
	if t.progress == nil && !t.open() {
		return ""
	}
	stdout, stderr, err := t.files.Captured()
	if err != nil {
		return t.line()
	}
	// The stream that is read last counts, and the answer is on standard output.
	t.read(1, extract.Stderr, t.files.Stderr, stderr)
	t.read(0, extract.Stdout, t.files.Stdout, stdout)
	return t.line()
}

func (t *tail) line() string { return t.secrets.Redact(t.progress.Tail()) }

// open opens the output of the job, and finds what decodes it. Both may come later: a
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
		files.Close()
		return false
	}
	t.files, t.progress, t.secrets = files, cli.Progress(), secrets
	return true
}

// read reads what is new in a stream.
func (t *tail) read(i int, stream extract.Stream, file *os.File, c process.Capture) {
	from := max(t.offset[i], c.Size-maxRead)
	if from > t.offset[i] {
		t.progress.Skip(stream)
	}
	if c.Size <= from {
		return
	}
	b := make([]byte, c.Size-from)
	n, _ := file.ReadAt(b, from) // what cannot be read now is read later
	t.progress.Write(stream, b[:n])
	t.offset[i] = from + int64(n)
}

// Close closes the files.
func (t *tail) Close() {
	if t.files != nil {
		t.files.Close()
	}
}
