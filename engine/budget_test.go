package engine_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The budget of the binary: what every start and every download pays. A new dependency
// is charged to it. TestBudget holds what is the same on every machine; BenchmarkStart
// prints the times.
const (
	maxBinary    = 36 << 20  // bytes, stripped
	maxInitBytes = 2_200_000 // bytes that the initialization of all packages allocates
	maxInits     = 235       // packages that have something to initialize
	startTarget  = "30 ms to the answer to initialize, with and without specs of the user"
)

// unlinked are packages that cost much at every start, measured, or would be linked for
// little. A prefix stands for all packages below it.
var unlinked = []string{
	"github.com/santhosh-tekuri/jsonschema", // 4.8 ms: compiles metaschemas; mcp-go/server imports it
	"github.com/mark3labs/mcp-go/server",
	"github.com/mark3labs/mcp-go/client",
	"github.com/yuin/goldmark",            // 1.4 ms
	"oras.land/oras-go",                   // 1.3 ms
	"go.opentelemetry.io/otel/sdk",        // 0.8 ms
	"github.com/prometheus/client_golang", // 0.7 ms
}

// stripped builds the gateway without symbols.
func stripped(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "gateway.exe")
	if out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", name, "../cmd/gateway").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return name
}

// inits are the lines of GODEBUG=inittrace=1 of a start that does nothing.
func inits(t testing.TB, binary string) (lines []initialization) {
	t.Helper()
	cmd := exec.Command(binary, "version")
	cmd.Env = append(cmd.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^init (\S+) @.*, ([0-9.]+) ms clock, (\d+) bytes`).FindAllStringSubmatch(trace.String(), -1) {
		ms, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			t.Fatal(err)
		}
		n, err := strconv.Atoi(m[3])
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, initialization{m[1], ms, n})
	}
	if len(lines) < 50 {
		t.Fatalf("no trace: %s", trace.String())
	}
	return lines
}

type initialization struct {
	pkg   string
	ms    float64
	bytes int
}

func TestBudget(t *testing.T) {
	// The go command runs elsewhere; reading these files makes a cached result stale.
	ourSources(t)
	for _, name := range []string{"../go.mod", "../go.sum"} {
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	binary := stripped(t)
	info, err := os.Stat(binary)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxBinary {
		t.Errorf("the stripped binary has %d bytes, more than %d", info.Size(), maxBinary)
	}
	all := inits(t, binary)
	total := 0
	for _, i := range all {
		total += i.bytes
	}
	if total > maxInitBytes || len(all) > maxInits {
		slices.SortFunc(all, func(a, b initialization) int { return b.bytes - a.bytes })
		t.Errorf("%d packages allocate %d bytes when they are initialized; %d packages and %d bytes are allowed; the largest: %v",
			len(all), total, maxInits, maxInitBytes, all[:5])
	}
}

func TestPackagesThatAreNotLinked(t *testing.T) {
	ourSources(t)
	out, err := exec.Command("go", "list", "-deps", "../cmd/gateway").Output()
	if err != nil {
		t.Fatal(err)
	}
	for pkg := range strings.Lines(string(out)) {
		pkg = strings.TrimSpace(pkg)
		for _, prefix := range unlinked {
			if pkg == prefix || strings.HasPrefix(pkg, prefix+"/") {
				t.Errorf("%s is linked", pkg)
			}
		}
	}
}

// BenchmarkStart is the time from the start of a process to its answer to initialize,
// and reports how much of it is initialization of packages.
func BenchmarkStart(b *testing.B) {
	binary := stripped(b)
	specs, err := filepath.Abs("../cmd/gateway/demo.cue")
	if err != nil {
		b.Fatal(err)
	}
	text, err := os.ReadFile(specs)
	if err != nil {
		b.Fatal(err)
	}
	for _, own := range []bool{false, true} {
		b.Run("own="+strconv.FormatBool(own), func(b *testing.B) {
			b.Setenv("HOME", b.TempDir())
			folder := filepath.Join(os.Getenv("HOME"), ".llm-cli-gateway", "specs")
			if err := os.MkdirAll(folder, 0o700); err != nil {
				b.Fatal(err)
			}
			if own {
				if err := os.WriteFile(filepath.Join(folder, "own.cue"), text, 0o600); err != nil {
					b.Fatal(err)
				}
			}
			best := time.Hour
			for b.Loop() {
				best = min(best, start(b, binary))
			}
			ms := 0.0
			for _, i := range inits(b, binary) {
				ms += i.ms
			}
			b.ReportMetric(ms, "init-ms")
			b.ReportMetric(float64(best.Microseconds())/1000, "best-ms")
			b.Log("target: " + startTarget)
		})
	}
}

// start starts a gateway, and lets it end after its answer to initialize; took is the
// time until then.
func start(t testing.TB, binary string) (took time.Duration) {
	t.Helper()
	began := time.Now()
	cmd := exec.Command(binary, "serve")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const request = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`
	if _, err := io.WriteString(in, request+"\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.Contains(line, "protocolVersion") {
		t.Fatalf("%q, %v", line, err)
	}
	took = time.Since(began)
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return took
}
