package job

import (
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/llm-cli-gateway/gateway/engine/catalog"
)

// files are what a run reads from and writes to. Output goes to regular files,
// since several programs lose what they write to a pipe when they exit.
type files struct {
	folder                string
	stdin, stdout, stderr *os.File
	named                 []string // files that still have a name and must be removed
	namedDir              string   // folder of those that the program reads by their names, "" without any
}

// newFiles makes the files of one run below folder, mode 0600.
func newFiles(folder string) (*files, error) {
	f := &files{folder: folder}
	err := os.MkdirAll(folder, 0o700)
	if err == nil {
		f.stdout, err = f.create("out-*")
	}
	if err == nil {
		f.stderr, err = f.create("err-*")
	}
	if err != nil {
		f.close()
		return nil, fmt.Errorf("no space for the output of the call: %w", err)
	}
	return f, nil
}

// create makes a file that has no name any more, so that nothing is left behind
// when the gateway dies. Windows cannot do that; there it goes with close.
func (f *files) create(pattern string) (*os.File, error) {
	file, err := os.CreateTemp(f.folder, pattern)
	if err != nil {
		return nil, err
	}
	if runtime.GOOS == "windows" {
		f.named = append(f.named, file.Name())
		return file, nil
	}
	return file, os.Remove(file.Name())
}

// input makes standard input out of the prompt.
func (f *files) input(text string) error {
	file, err := f.create("in-*")
	if err != nil {
		return fmt.Errorf("the prompt cannot be written: %w", err)
	}
	f.stdin = file
	if _, err := io.WriteString(file, text); err != nil {
		return fmt.Errorf("the prompt cannot be written: %w", err)
	}
	_, err = file.Seek(0, io.SeekStart)
	return err
}

// writeNamed writes the named files of the call into their folder.
func (f *files) writeNamed(files []catalog.File, folder string) error {
	f.namedDir = folder
	err := os.Mkdir(folder, 0o700)
	if err == nil {
		err = writeFiles(files, folder)
	}
	if err != nil {
		return fmt.Errorf("the files of the call cannot be written: %w", err)
	}
	return nil
}

// removeNamed removes the named files of the call, once its program has ended.
func (f *files) removeNamed() {
	if f.namedDir != "" {
		os.RemoveAll(f.namedDir)
	}
}

func (f *files) close() {
	if f == nil {
		return
	}
	for _, file := range []*os.File{f.stdin, f.stdout, f.stderr} {
		if file != nil {
			file.Close()
		}
	}
	for _, name := range f.named {
		os.Remove(name)
	}
	f.removeNamed()
}
