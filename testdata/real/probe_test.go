package real

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProbe holds the built-in specs against the pinned programs: they take all that
// the specs say, and have nothing of which the specs do not know that they do without.
func TestProbe(t *testing.T) {
	t.Parallel()
	out, code := probed(t, nil)
	if code != 0 || out != "" {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// TestProbeFindsWhatIsMissing holds a spec that is wrong against a real program.
func TestProbeFindsWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range clis {
		text := "cli: " + c.name + `: params: model: flag: "--no-such-modell"` + "\n"
		if err := os.WriteFile(filepath.Join(dir, c.name+".cue"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, code := probed(t, []string{dir})
	if code != 1 || strings.Count(out, " has no option --no-such-modell") != len(clis) {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}

// probed runs vet --probe for all programs of the table.
func probed(t *testing.T, paths []string) (out string, code int) {
	t.Helper()
	args := []string{"vet", "--strict", "--probe"}
	if paths != nil {
		args = []string{"vet", "--probe"}
	}
	for _, c := range clis {
		args = append(args, c.name)
	}
	cmd := exec.Command(gatewayBin, append(args, paths...)...)
	home := filepath.Join(clisDir, "home") // a new one costs one of them 160 MB
	cmd.Env = []string{"PATH=" + searchPath, "HOME=" + home, "TMPDIR=" + t.TempDir()}
	cmd.Dir = t.TempDir()
	var told bytes.Buffer
	cmd.Stdout, cmd.Stderr = &told, os.Stderr
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return told.String(), cmd.ProcessState.ExitCode()
}
