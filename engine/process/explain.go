package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// maxArg is what Linux takes in one argument, without its final NUL: 32 pages.
const maxArg = 128<<10 - 1

// explain turns the bare errno of a failed start, which does not show whether
// the directory, the program or its interpreter is meant, into a text that does.
func explain(c Command, err error) error {
	if derr := dirError(c.Dir); derr != nil {
		return derr
	}
	switch {
	case errors.Is(err, syscall.E2BIG):
		return fmt.Errorf("%w: %s; pass long texts over standard input or in a file", ErrTooBig, biggest(c))
	case errors.Is(err, syscall.ENOEXEC):
		return fmt.Errorf("%w: %s is neither a binary for this system nor a script that begins with #!; install it anew", ErrFormat, c.Path)
	}
	st, serr := os.Stat(c.Path)
	switch {
	case errors.Is(serr, os.ErrNotExist), errors.Is(serr, syscall.ENOTDIR):
		return fmt.Errorf("%w: %s does not exist", ErrNotFound, c.Path)
	case serr != nil:
		return fmt.Errorf("%w: %w", ErrNotExecutable, serr)
	case st.IsDir():
		return fmt.Errorf("%w: %s is a directory", ErrNotExecutable, c.Path)
	case errors.Is(err, os.ErrNotExist):
		if interp := interpreter(c.Path); interp != "" {
			return fmt.Errorf("%w: %s is a script for %s, which does not exist", ErrNotFound, c.Path, interp)
		}
		return fmt.Errorf("%w: the dynamic loader that %s asks for does not exist; is it built for another system?", ErrNotFound, c.Path)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: %s has mode %v; chmod +x it, or look whether it lies on a noexec file system", ErrNotExecutable, c.Path, st.Mode())
	}
	return fmt.Errorf("cannot start %s: %w", c.Path, err)
}

func dirError(dir string) error {
	if dir == "" {
		return nil
	}
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %s does not exist", ErrDir, dir)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrDir, err)
	case !st.IsDir():
		return fmt.Errorf("%w: %s is not a directory", ErrDir, dir)
	case !canEnter(dir):
		return fmt.Errorf("%w: no permission to enter %s (mode %v)", ErrDir, dir, st.Mode())
	}
	return nil
}

// biggest says which part of the command was too long. It names environment
// variables but never shows a value.
func biggest(c Command) string {
	total := len(c.Path)
	for i, a := range c.Args {
		if len(a) > maxArg {
			return fmt.Sprintf("argument %d has %d bytes, one may have %d", i+1, len(a), maxArg)
		}
		total += len(a) + 1
	}
	for _, kv := range c.Env {
		if len(kv) > maxArg {
			name, _, _ := strings.Cut(kv, "=")
			return fmt.Sprintf("the environment variable %s has %d bytes, one may have %d", name, len(kv), maxArg)
		}
		total += len(kv) + 1
	}
	return fmt.Sprintf("%d arguments and %d environment variables have %d bytes together", len(c.Args), len(c.Env), total)
}

func interpreter(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	line, _ := bufio.NewReader(io.LimitReader(f, 256)).ReadString('\n')
	rest, ok := strings.CutPrefix(line, "#!")
	if fields := strings.Fields(rest); ok && len(fields) > 0 {
		return fields[0]
	}
	return ""
}
