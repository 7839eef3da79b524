//go:build unix

package specfiles

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/llm-cli-gateway/gateway/engine/lang"
)

// foreign says why a file or folder may hold what another user wants run, and what to do
// about it; "" if it may not. Root runs what it is given: in a container everything
// belongs to somebody else. A group that is ours alone is taken for one of ours: many
// systems give each user one, and let it write.
func foreign(name string, info fs.FileInfo) (why, fix string) {
	what := "file"
	if info.IsDir() {
		what = "folder"
	}
	mode := info.Mode()
	if info.IsDir() && mode&fs.ModeSticky != 0 {
		mode &^= 0o022 // others can add to it, and not replace what is there
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	me := os.Geteuid()
	switch {
	case mode&0o002 != 0:
		return fmt.Sprintf("every user can write this %s (mode %04o)", what, info.Mode().Perm()), "chmod o-w " + lang.ShellWord(name)
	case !ok || me == 0:
		return "", ""
	case int(st.Uid) != me && st.Uid != 0:
		return fmt.Sprintf("the %s belongs to user %d", what, st.Uid), fmt.Sprintf("chown %d %s, or copy the specs into a folder of yours", me, lang.ShellWord(name))
	case mode&0o020 != 0 && int(st.Gid) != os.Getegid() && st.Gid != 0:
		return fmt.Sprintf("users of group %d can write this %s (mode %04o)", st.Gid, what, info.Mode().Perm()), "chmod g-w " + lang.ShellWord(name)
	}
	return "", ""
}

// ForeignFolder checks a folder and all its parents: who can write one of
// them can put another at its place. Links are followed, and so is what they lie in.
func ForeignFolder(dir string) (name, why, fix string) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", "", ""
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return "", "", ""
	}
	paths := []string{absolute}
	if real != absolute {
		paths = append(paths, real)
	}
	for _, path := range paths {
		for at := path; ; at = filepath.Dir(at) {
			info, err := os.Stat(at)
			if err != nil {
				return "", "", ""
			}
			if why, fix = foreign(at, info); why != "" {
				return at, why, fix
			}
			if at == filepath.Dir(at) {
				break
			}
		}
	}
	return "", "", ""
}
