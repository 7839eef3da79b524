//go:build unix

package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program puts an executable file somewhere and returns its path.
func program(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	put(t, path, "#!/bin/true\n", 0o755)
	return path
}

func put(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask says
		t.Fatal(err)
	}
}

func (h *Host) mustFind(t *testing.T, bin, want string) {
	t.Helper()
	if got, err := h.Find(bin); got != want || err != nil {
		t.Errorf("found %q (%v), want %q", got, err, want)
	}
}

func TestSearchOrder(t *testing.T) {
	d := t.TempDir()
	first, second := filepath.Join(d, "first"), filepath.Join(d, "second")
	folders := []string{"~/bin", "~/node/*/bin", filepath.Join(d, "last")}
	h := func() *Host {
		return New([]string{"HOME=" + d, "PATH=" + first + ":relative:.::" + second + ":" + first}, folders, "")
	}
	found := []string{
		program(t, d, "last", "acme"), program(t, d, "node", "v9.11.2", "bin", "acme"), program(t, d, "node", "v10.2.0", "bin", "acme"),
		program(t, d, "node", "v10.10.0", "bin", "acme"), program(t, d, "bin", "acme"), program(t, d, "second", "acme"), program(t, d, "first", "acme"),
	}
	for _, want := range slices.Backward(found) {
		h().mustFind(t, "acme", want)
		if err := os.Remove(want); err != nil {
			t.Fatal(err)
		}
	}
	_, err := h().Find("acme")
	var missing *NotFoundError
	if !errors.As(err, &missing) {
		t.Fatal(err)
	}
	want := []string{first, second, filepath.Join(d, "bin"), filepath.Join(d, "node/v10.10.0/bin"), filepath.Join(d, "node/v10.2.0/bin"),
		filepath.Join(d, "node/v9.11.2/bin"), filepath.Join(d, "last")}
	if !slices.Equal(missing.Looked, want) {
		t.Errorf("looked in\n%q, want\n%q", missing.Looked, want)
	}
	for _, part := range append(want, `"acme"`) {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
}

func TestVersionsInOrder(t *testing.T) {
	sorted := []string{"v1", "v2", "v9", "v9.9", "v10", "v10.0.1", "v10.0.10", "v10.1", "v20", "w1"}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := compareVersions(a, b); (got < 0) != (i < j) || (got > 0) != (i > j) {
				t.Errorf("compareVersions(%q, %q) = %d", a, b, got)
			}
		}
	}
}

func TestFoundProgramsAreKept(t *testing.T) {
	d := t.TempDir()
	old := program(t, d, "old", "acme")
	h := New([]string{"PATH=" + filepath.Join(d, "new") + ":" + filepath.Join(d, "old"), "HOME=" + d}, []string{"~/v/*"}, "")
	h.mustFind(t, "acme", old)
	fresh := program(t, d, "new", "acme")
	h.mustFind(t, "acme", old) // kept, though another would now come first

	if err := os.Remove(old); err != nil {
		t.Fatal(err)
	}
	h.mustFind(t, "acme", fresh)
	if err := os.Rename(fresh, fresh+"~"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Find("acme"); err == nil {
		t.Error("found what is gone")
	}
	later := program(t, d, "v", "2", "acme") // in a folder that did not exist before
	h.mustFind(t, "acme", later)
	if err := os.Chmod(later, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Find("acme"); err == nil || !strings.Contains(err.Error(), later+" exists, but is not executable") {
		t.Errorf("error: %v", err)
	}
}

func TestWhatIsNoProgram(t *testing.T) {
	d := t.TempDir()
	put(t, filepath.Join(d, "a", "acme"), "text", 0o644)
	if err := os.MkdirAll(filepath.Join(d, "b", "acme"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(d, "c"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(d, "c", "acme"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(d, "c", "acme"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + filepath.Join(d, "a") + ":" + filepath.Join(d, "b") + ":" + filepath.Join(d, "c")
	_, err := New([]string{path}, nil, "").Find("acme")
	broken := filepath.Join(d, "a", "acme")
	wrong, ok := errors.AsType[*NotExecutableError](err)
	if !ok || err.Error() != broken+" exists, but is not executable" || wrong.Fix() != "chmod +x "+broken {
		t.Errorf("error: %v", err)
	}
	good := program(t, d, "d", "acme")
	New([]string{path + ":" + filepath.Dir(good)}, nil, "").mustFind(t, "acme", good)
	if _, err := New([]string{"HOME=" + d}, nil, "").Find("acme"); err == nil || !strings.Contains(err.Error(), "PATH is empty") {
		t.Errorf("error: %v", err)
	}
}

func TestProgramsByPath(t *testing.T) {
	d := t.TempDir()
	path := program(t, d, "opt", "acme")
	h := New([]string{"HOME=" + d, "PATH=" + filepath.Join(d, "opt")}, nil, "")
	h.mustFind(t, path, path)
	h.mustFind(t, "~/opt/acme", path)
	for _, bin := range []string{"./acme", "opt/acme", "../opt/acme", `opt\acme`, "~other/acme"} {
		if _, err := h.Find(bin); err == nil || !strings.Contains(err.Error(), "relative path") {
			t.Errorf("%s: %v", bin, err)
		}
	}
	_, err := h.Find(filepath.Join(d, "nowhere", "acme"))
	if err == nil || !strings.Contains(err.Error(), "looked in "+filepath.Join(d, "nowhere")) {
		t.Errorf("error: %v", err)
	}
	t.Chdir(filepath.Join(d, "opt"))
	if _, err := New([]string{"PATH=.::"}, nil, "").Find("acme"); err == nil {
		t.Error("a program was taken from the working directory")
	}
}

func TestEnvironmentFile(t *testing.T) {
	text := "\xef\xbb\xbf# keys\r\n" +
		"A=1\r\n" + "export B = two words \n" + `C="quoted # = value"` + "\n" + "D='it''s'\n" + "E=\n" + "\n   \n" + "F=a=b=c\n" + "export=x\n" +
		"G=\"half\n" + "H=$HOME `x` \\n\n" + "I=\"\n" + "A=last"
	file := filepath.Join(t.TempDir(), "keys.env")
	put(t, file, text, 0o600)
	env, err := New([]string{"HOME=/h", "A=own"}, nil, file).Environ(Filter{Pass: []string{"*"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"A=last", "B=two words", "C=quoted # = value", "D=it''s", "E=", "F=a=b=c", `G="half`, "H=$HOME `x` \\n", "HOME=/h", `I="`, "PATH=", "export=x"}
	if !slices.Equal(env, want) {
		t.Errorf("got  %q\nwant %q", env, want)
	}
}

func TestEnvironmentFileRefused(t *testing.T) {
	d := t.TempDir()
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"read by the group": {"A=1", 0o640, "chmod 600 "},
		"read by all":       {"A=1", 0o644, "mode 0644"},
		"written by others": {"A=1", 0o602, "chmod 600 "},
		"no assignment":     {"A=1\nsk-secret-value\n", 0o600, ":2: want NAME=VALUE"},
		"bad name":          {"\n\nSK-secret=value\n", 0o600, ":3: want NAME=VALUE"},
		"NUL":               {"A=secret\x00value", 0o600, ":1: want NAME=VALUE"},
		"too long":          {strings.Repeat("# x\n", maxEnvFile/4) + "x", 0o600, "bytes, at most"},
	} {
		file := filepath.Join(d, "keys.env")
		put(t, file, c.text, c.mode)
		h := New([]string{"PATH=/bin"}, nil, file)
		_, err := h.Environ(Filter{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the line is shown: %v", name, err)
		}
		if _, err := h.Find("true"); err == nil {
			t.Errorf("%s: programs are still looked for", name)
		}
	}
	for path, want := range map[string]string{
		filepath.Join(d, "none"): "no such file", d: "not a regular file", "keys.env": "relative path", "~/x/../none": "create it",
	} {
		if _, err := New([]string{"HOME=" + d}, nil, path).Environ(Filter{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestEnvironmentFileIsReadAgainWhenItChanged(t *testing.T) {
	d := t.TempDir()
	file := filepath.Join(d, "keys.env")
	put(t, file, "A=1", 0o600)
	h := New([]string{"HOME=" + d}, nil, "~/keys.env")
	get := func() string {
		env, err := h.Environ(Filter{Pass: []string{"A"}})
		if err != nil {
			return err.Error()
		}
		return env[0]
	}
	if got := get(); got != "A=1" {
		t.Error(got)
	}
	put(t, file+"~", "A=2", 0o600) // the same size, maybe the same time, but another file
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
	if got := get(); got != "A=2" {
		t.Error(got)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	if got := get(); !strings.Contains(got, "chmod 600") {
		t.Error(got)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got := get(); !strings.Contains(got, "no such file") {
		t.Error(got)
	}
}

func TestFilter(t *testing.T) {
	h := New([]string{"PATH=/p:rel", "HOME=/h", "A=1", "AB=2", "ABC=3", "B=4", "B=5", "=C:=x", "junk", "E="}, []string{"~/bin", "/p", "/q"}, "")
	for name, c := range map[string]struct {
		f    Filter
		want []string
	}{
		"nothing":          {Filter{}, []string{"PATH=/p:/h/bin:/q"}},
		"a name":           {Filter{Pass: []string{"A"}}, []string{"A=1", "PATH=/p:/h/bin:/q"}},
		"a beginning":      {Filter{Pass: []string{"AB*"}}, []string{"AB=2", "ABC=3", "PATH=/p:/h/bin:/q"}},
		"everything":       {Filter{Pass: []string{"*"}}, []string{"A=1", "AB=2", "ABC=3", "B=5", "E=", "HOME=/h", "PATH=/p:/h/bin:/q"}},
		"drop wins":        {Filter{Pass: []string{"*"}, Drop: []string{"A*", "HOME"}}, []string{"B=5", "E=", "PATH=/p:/h/bin:/q"}},
		"set wins":         {Filter{Pass: []string{"A"}, Drop: []string{"N"}, Set: map[string]string{"A": "x", "N": "y=z"}}, []string{"A=x", "N=y=z", "PATH=/p:/h/bin:/q"}},
		"PATH that is set": {Filter{Set: map[string]string{"PATH": "/only"}}, []string{"PATH=/only"}},
	} {
		got, err := h.Environ(c.f)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q (%v), want %q", name, got, err, c.want)
		}
	}
	if got := Names([]string{"A=1", "B=", "C"}); !slices.Equal(got, []string{"A", "B", "C"}) {
		t.Errorf("names: %q", got)
	}
}

func TestPathOfTheEnvironmentFile(t *testing.T) {
	d := t.TempDir()
	path := program(t, d, "special", "acme")
	file := filepath.Join(d, "keys.env")
	put(t, file, "PATH="+filepath.Join(d, "special"), 0o600)
	h := New([]string{"PATH=/nowhere"}, []string{"/usr/bin"}, file)
	h.mustFind(t, "acme", path)
	env, err := h.Environ(Filter{})
	if want := []string{"PATH=" + filepath.Join(d, "special") + ":/usr/bin"}; err != nil || !slices.Equal(env, want) {
		t.Errorf("got %q (%v), want %q", env, err, want)
	}
}

func TestHome(t *testing.T) {
	d := t.TempDir()
	t.Setenv("HOME", d)
	if Home() != d {
		t.Errorf("home %q", Home())
	}
	env, err := New([]string{"PATH=/p"}, []string{"~/bin"}, "").Environ(Filter{Pass: []string{"HOME"}})
	if want := []string{"HOME=" + d, "PATH=/p:" + d + "/bin"}; err != nil || !slices.Equal(env, want) {
		t.Errorf("got %q (%v), want %q", env, err, want)
	}
	odd := filepath.Join(d, "a[b]*?c")
	New([]string{"HOME=" + odd}, []string{"~/v/*/bin"}, "").mustFind(t, "acme", program(t, odd, "v", "1", "bin", "acme"))
	for _, none := range []string{"", "relative"} {
		t.Setenv("HOME", none)
		if home := Home(); home == none || home != "" && !filepath.IsAbs(home) {
			t.Errorf("HOME=%q: home %q", none, home)
		}
	}
}

func TestHostFromManyGoroutines(t *testing.T) {
	d := t.TempDir()
	path := program(t, d, "acme")
	file := filepath.Join(d, "keys.env")
	put(t, file, "A=1", 0o600)
	h := New([]string{"PATH=" + d}, []string{"~/x/*"}, file)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				if got, err := h.Find("acme"); got != path || err != nil {
					t.Error(got, err)
				}
				if env, err := h.Environ(Filter{Pass: []string{"A"}}); err != nil || len(env) != 2 {
					t.Error(env, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzEnvironmentFile(f *testing.F) {
	for _, seed := range []string{"", "A=1", "export A='x'\n", "\xef\xbb\xbfA=\"\"", "=x", "A", "A=\x00", "export export=1\r\n#"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		vars, err := parse("keys.env", []byte(text))
		if err != nil {
			if rest, _, _ := strings.Cut(err.Error(), ": want NAME=VALUE"); !strings.HasPrefix(rest, "keys.env:") {
				t.Errorf("error %q", err)
			}
			return
		}
		for _, kv := range vars {
			name, v, ok := strings.Cut(kv, "=")
			if !ok || name == "" || strings.ContainsAny(name, " \t\n\x00") || strings.ContainsAny(v, "\n\x00") {
				t.Errorf("%q gives %q", text, kv)
			}
		}
	})
}

func TestInstalled(t *testing.T) {
	home, one, two := t.TempDir(), t.TempDir(), t.TempDir()
	h := New([]string{"HOME=" + home, "PATH=" + one + ":" + filepath.Join(home, "none")}, []string{"~/bin/*"}, "")
	bins := []string{"acme", "zeta", filepath.Join(two, "mira"), "~/gone"}
	expect := func(want ...bool) {
		t.Helper()
		got := h.Installed(bins)
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		for i, bin := range bins {
			if _, err := h.Find(bin); (err == nil) != got[i] {
				t.Errorf("%s: Find says %v", bin, err)
			}
		}
	}
	program := func(path string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, nil, 0o600), os.Chmod(path, mode)); err != nil {
			t.Fatal(err)
		}
	}
	expect(false, false, false, false)
	program(filepath.Join(one, "acme"), 0o700)
	program(filepath.Join(one, "zeta"), 0o600) // cannot be run
	program(filepath.Join(two, "mira"), 0o700)
	expect(true, false, true, false)
	program(filepath.Join(home, "bin", "v2", "zeta"), 0o700) // in a folder that is new
	if err := os.Remove(filepath.Join(two, "mira")); err != nil {
		t.Fatal(err)
	}
	expect(true, true, false, false)
	bad := New(nil, nil, "/there/is/no/such/file")
	if got := bad.Installed(bins[:1]); !got[0] {
		t.Error("a fault that hides all programs hides one")
	}
}

// TestLinkToAShell: whatever a link to a shell is called, it is one.
func TestLinkToAShell(t *testing.T) {
	d := t.TempDir()
	shell := program(t, d, "real", "bash")
	link := filepath.Join(d, "acme")
	if err := os.Symlink(shell, link); err != nil {
		t.Fatal(err)
	}
	h := New([]string{"PATH=" + d, "HOME=" + d}, nil, "")
	for _, bin := range []string{"acme", link} {
		if path, err := h.Find(bin); err == nil || !strings.Contains(err.Error(), "is a link to "+shell) {
			t.Errorf("%s: %s, %v", bin, path, err)
		}
	}
	other := program(t, d, "real", "tool")
	if err := os.Symlink(other, filepath.Join(d, "juno")); err != nil {
		t.Fatal(err)
	}
	h.mustFind(t, "juno", filepath.Join(d, "juno"))
}
