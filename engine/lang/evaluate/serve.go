package evaluate

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/lang/load"
	"github.com/llm-cli-gateway/gateway/engine/lang/specfiles"
)

// processName is the name under which this program evaluates; its one argument is the limit
// of memory in megabytes.
const processName = "gateway-evaluation"

// memoryExit is the exit code of a process that needed more memory than it may have.
const memoryExit = 3

// watchEvery is the time between two looks at the memory in use.
const watchEvery = 4 * time.Millisecond

func init() {
	if len(os.Args) != 2 || os.Args[0] != processName {
		return
	}
	megabytes, err := strconv.Atoi(os.Args[1])
	if err != nil || megabytes <= 0 || os.Getenv(readyName) == "" {
		return // another program's name for this one
	}
	serve(os.Stdin, os.Stdout, int64(megabytes)<<20)
	os.Exit(0)
}

// serve answers one request after another until there are no more. The first byte that it
// writes says that it is ready.
func serve(in io.Reader, out io.Writer, memory int64) {
	bound(memory)
	requests := make(chan specfiles.File)
	go func() {
		for {
			f, err := readFile(in)
			if err != nil {
				os.Exit(0) // whatever is under way, nobody waits for it
			}
			requests <- f
		}
	}()
	if _, err := out.Write([]byte{ready}); err != nil {
		return
	}
	for f := range requests {
		if writeFrame(out, load.EvaluateFile(f)) != nil {
			return
		}
	}
}

// bound ends the process when it has more memory than the limit, in bytes.
func bound(limit int64) {
	debug.SetMemoryLimit(limit / 8 * 7) // the collector works harder before that
	debug.SetMaxStack(int(limit / 4))
	limitData(limit)
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	go func() {
		for range time.Tick(watchEvery) {
			metrics.Read(samples)
			if used := samples[0].Value.Uint64() - samples[1].Value.Uint64(); used > uint64(limit) {
				os.Exit(memoryExit)
			}
		}
	}()
}

// A frame is its length, in four bytes, and so many bytes. A request is two: name and text.
const maxFrame = 64 << 20

const ready = '!'

var errTooLong = errors.New("a message is too long")

func writeFrame(w io.Writer, data []byte) error {
	if len(data) > maxFrame {
		return errTooLong
	}
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(data))), data...))
	return err
}

func readFrame(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return nil, errTooLong
	}
	data := make([]byte, n)
	_, err := io.ReadFull(r, data)
	return data, err
}

func readFile(r io.Reader) (specfiles.File, error) {
	name, err := readFrame(r)
	if err != nil {
		return specfiles.File{}, err
	}
	text, err := readFrame(r)
	return specfiles.File{Name: string(name), Data: text}, err
}
