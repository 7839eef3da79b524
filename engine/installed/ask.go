package installed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
	"github.com/llm-cli-gateway/gateway/engine/job/environment"
	"github.com/llm-cli-gateway/gateway/engine/process"
	"github.com/llm-cli-gateway/gateway/engine/store"
)

// maxOutput is how much of an answer is read, and about how much of it is kept on the
// disk meanwhile.
const maxOutput = 64 << 10

// question runs the program with the words that ask for its version, and no other
// input. When this returns, the program and all that it started are gone.
func (p *Prober) question(ctx context.Context, catalog *catalog.Catalog, cli *catalog.CLI, path string) answer {
	// An empty folder: a program that is run in ours might read its files.
	dir, err := os.MkdirTemp("", "llm-gateway-version-")
	if err != nil {
		return answer{err: err}
	}
	defer os.RemoveAll(dir)
	stdout, stderr, exit, err := p.run(ctx, catalog, cli, path, dir, query{cli.CLISpec.Version.Argv, p.most(), maxOutput})
	if err == nil && exit != 0 {
		err = ended(exit, stdout, stderr)
	}
	if err != nil {
		return answer{err: err}
	}
	return parseOutput(cli, stdout, stderr)
}

// query is what a program is asked.
type query struct {
	words  []string
	limit  time.Duration
	output int64 // bytes of its answer that are read
}

// run gives what a program answered, and its exit code.
func (p *Prober) run(ctx context.Context, catalog *catalog.Catalog, cli *catalog.CLI, path, dir string, q query) (stdout, stderr string, code int, err error) {
	environ, err := p.Host.Environ(environment.OfCLI(catalog, cli, maps.Collect(cli.Env.Set.All()), dir))
	if err != nil {
		return "", "", 0, err
	}
	out, err := os.Create(filepath.Join(dir, "stdout"))
	if err != nil {
		return "", "", 0, err
	}
	defer out.Close()
	errOut, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		return "", "", 0, err
	}
	defer errOut.Close()
	child, err := process.Start(process.Command{
		Path: path, Args: q.words, Env: environ, Dir: dir, Stdout: out, Stderr: errOut, Cookie: store.NewID(),
	}, process.Limits{Wall: q.limit, Grace: 100 * time.Millisecond, Output: q.output})
	if err != nil {
		return "", "", 0, err
	}
	select {
	case <-child.Done():
	case <-ctx.Done():
		child.Stop(process.Canceled)
	}
	exit := child.Exit()
	stdout, stderr = read(out, exit.Stdout, q.output), read(errOut, exit.Stderr, q.output)
	switch {
	case ctx.Err() != nil:
		return "", "", 0, ctx.Err()
	case exit.Reason == process.WallTimeout:
		return "", "", 0, fmt.Errorf("it did not answer within %s", q.limit)
	}
	return stdout, stderr, exit.Code, nil
}

// ended is the error of a program that did not end well.
func ended(code int, stdout, stderr string) error {
	message := firstLine(stderr)
	if message == "" {
		message = firstLine(stdout)
	}
	return fmt.Errorf("it ended with exit code %d%s", code, quoted(": ", message))
}

func (p *Prober) most() time.Duration {
	if p.limit > 0 {
		return p.limit
	}
	return askLimit
}

// read gives what was printed, or its beginning; what cannot be read is an answer that
// says nothing.
func read(f *os.File, c process.Capture, most int64) string {
	text, _ := io.ReadAll(io.LimitReader(process.Reader(f, c), most))
	return strings.ToValidUTF8(string(text), "")
}

// anyVersion is how versions look where a spec does not say it.
var anyVersion = regexp.MustCompile(`(?:^|[^0-9A-Za-z.]|\b[vV])([0-9]+(?:\.[0-9]+)+(?:-[0-9A-Za-z]+(?:[.-][0-9A-Za-z]+)*)?)`)

// parseOutput finds the version in what a program printed. Where the spec knows how the
// answer looks, another answer is that of another program.
func parseOutput(cli *catalog.CLI, stdout, stderr string) answer {
	text := strings.TrimSpace(stdout)
	if text == "" {
		text = strings.TrimSpace(stderr)
	}
	if text == "" {
		return answer{err: errors.New("it printed nothing")}
	}
	loose := ""
	if m := anyVersion.FindStringSubmatch(text); m != nil {
		loose = m[1]
	}
	if cli.CLISpec.Version.Match == "" {
		if loose == "" {
			return answer{err: fmt.Errorf("its answer contains no version%s", quoted(" ", firstLine(text)))}
		}
		return answer{version: loose}
	}
	re, err := regexp.Compile(cli.CLISpec.Version.Match)
	if err != nil {
		return answer{err: err}
	}
	for _, part := range append([]string{text}, strings.Split(text, "\n")...) {
		if m := re.FindStringSubmatch(strings.TrimSpace(part)); m != nil {
			return answer{version: m[1]}
		}
	}
	return answer{version: loose, said: firstLine(text)}
}

// firstLine is what can be shown of what a program printed.
func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, line)
	if runes := []rune(line); len(runes) > 200 {
		line = string(runes[:200]) + "…"
	}
	return line
}

func quoted(before, text string) string {
	if text == "" {
		return ""
	}
	return before + fmt.Sprintf("%q", text)
}
