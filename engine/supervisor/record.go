package supervisor

import (
	"hash/crc32"
	"time"

	"github.com/llm-cli-gateway/gateway/engine/process/limits"
)

// Reason says who ended a job, or why there is no record of its end.
type Reason = limits.Reason

const (
	Exited      = limits.Exited      // the command itself, by exit or by a signal not ours
	Canceled    = limits.Canceled    // a Cancel
	IdleTimeout = limits.IdleTimeout // Limits.Idle
	WallTimeout = limits.WallTimeout // Limits.Wall
	OutputCap   = limits.OutputCap   // Limits.Output, on a file system that cannot drop the middle of a file
	OutputLost  = limits.OutputLost  // an output file could no longer be watched; Exit.Err says why

	QueueTimeout     Reason = "queue_timeout"     // Job.QueueTimeout; the command never ran
	SupervisorSignal Reason = "supervisor_signal" // somebody asked the supervisor to end; Exit.Detail names the signal
	StartFailed      Reason = "start_failed"      // the command never ran; Exit.Errno and Exit.Err say why

	// Without a record, so only in a State that is Lost:
	NeverStarted   Reason = "never_started"   // nothing ran: to do it again is safe
	SupervisorDied Reason = "supervisor_died" // the command may have done anything
	Rebooted       Reason = "reboot"          // likewise
)

// gatewayEndedDetail is the detail of an EndWithGateway job that was canceled because of that.
const gatewayEndedDetail = "its gateway ended"

// Capture says which bytes of an output file are output that was kept.
type Capture = limits.Capture

// Start is how a job began.
type Start struct {
	// Pid is the process id of the command, 0 while it is being started. It is for
	// display and for Sweep: a number alone identifies no process.
	Pid int
	// Began is the start of that process in clock ticks since boot; with Pid and
	// Boot it identifies the process for good.
	Began uint64
	// Supervisor is the process id of the supervisor.
	Supervisor int
	// Boot identifies the run of the system.
	Boot string
	At   time.Time
}

// Exit is how a job ended.
type Exit struct {
	// Code is the exit code, or -1 if a signal ended the command or it never ran.
	Code int
	// Signal is the number of that signal, or 0.
	Signal int
	// Reason says who ended the job. After a cancel or a timeout the command may
	// still have exited with code 0: several real ones do.
	Reason Reason
	// Detail is the text of the Cancel, the name of the supervisor's signal, or
	// "its gateway ended" for an EndWithGateway job.
	Detail string
	// Errno is the error of a start that failed, as a number of this system.
	Errno int
	// Started and Ended bound the life of the command itself, without the search
	// for its descendants.
	Started, Ended time.Time
	// Stdout and Stderr say which bytes of the files are the output.
	Stdout, Stderr Capture
	// Swept counts processes of the job that were still there after it ended and
	// had to be ended; Left those among them that did not go.
	Swept, Left int
	// DiskFull reports that the output is incomplete for want of space.
	DiskFull bool
	// Err says what else went wrong, or is empty.
	Err string
}

// Each record has a fixed size and offset in the status file: a checksum of the rest, the
// kind of the record, the length of its body, and the body. The size is no more than a
// disk sector, but nothing relies on sectors being written whole.
const (
	recordSize    = 512
	recordHeader  = 10
	maxRecordBody = recordSize - recordHeader
	startKind     = "KPs" + version
	exitKind      = "KPx" + version
	statusSize    = 2 * recordSize
	startOffset   = 0
	exitOffset    = recordSize
)

func encodeRecord(kind string, body []byte) []byte {
	b := make([]byte, recordSize)
	copy(b[4:], kind)
	b[8], b[9] = byte(len(body)), byte(len(body)>>8)
	copy(b[recordHeader:], body)
	sum := crc32.ChecksumIEEE(b[4:])
	b[0], b[1], b[2], b[3] = byte(sum), byte(sum>>8), byte(sum>>16), byte(sum>>24)
	return b
}

func decodeRecord(kind string, b []byte) (body []byte, ok bool) {
	if len(b) != recordSize || string(b[4:8]) != kind {
		return nil, false
	}
	n := int(b[8]) | int(b[9])<<8
	sum := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	if n > maxRecordBody || crc32.ChecksumIEEE(b[4:]) != sum {
		return nil, false
	}
	return b[recordHeader : recordHeader+n], true
}

func (s *Start) encode(id string) []byte {
	b := appendField(nil, "id", id)
	b = appendNumber(b, "pid", int64(s.Pid))
	b = appendNumber(b, "began", int64(s.Began))
	b = appendNumber(b, "supervisor", int64(s.Supervisor))
	b = appendField(b, "boot", truncateText(s.Boot, 64))
	b = appendNumber(b, "at", s.At.UnixNano())
	return encodeRecord(startKind, b)
}

func decodeStart(id string, record []byte) (s Start, ok bool) {
	body, ok := decodeRecord(startKind, record)
	if !ok {
		return Start{}, false
	}
	f, ok := parseFields(body)
	s = Start{
		Pid: int(f.number("pid")), Began: uint64(f.number("began")), Supervisor: int(f.number("supervisor")),
		Boot: f.text("boot"), At: time.Unix(0, f.number("at")),
	}
	if !ok || f.text("id") != id || f.bad {
		return Start{}, false
	}
	return s, true
}

const maxDetail = 48

func (e *Exit) encode(id string) []byte {
	b := appendField(nil, "id", id)
	b = appendField(b, "reason", string(e.Reason))
	b = appendNumber(b, "code", int64(e.Code))
	b = appendNumber(b, "signal", int64(e.Signal))
	b = appendNumber(b, "errno", int64(e.Errno))
	b = appendNumber(b, "began", e.Started.UnixNano())
	b = appendNumber(b, "ended", e.Ended.UnixNano())
	b = appendCapture(b, "o", e.Stdout)
	b = appendCapture(b, "e", e.Stderr)
	b = appendNumber(b, "swept", int64(e.Swept))
	b = appendNumber(b, "left", int64(e.Left))
	b = appendField(b, "full", flag(e.DiskFull))
	b = appendField(b, "detail", truncateText(e.Detail, maxDetail))
	b = appendField(b, "err", truncateText(e.Err, maxRecordBody-len(b)-len("err=")-1))
	return encodeRecord(exitKind, b)
}

func decodeExit(id string, record []byte) (e Exit, ok bool) {
	body, ok := decodeRecord(exitKind, record)
	if !ok {
		return Exit{}, false
	}
	f, ok := parseFields(body)
	e = Exit{
		Reason: Reason(f.text("reason")), Code: int(f.number("code")), Signal: int(f.number("signal")), Errno: int(f.number("errno")),
		Started: time.Unix(0, f.number("began")), Ended: time.Unix(0, f.number("ended")),
		Stdout: f.capture("o"), Stderr: f.capture("e"),
		Swept: int(f.number("swept")), Left: int(f.number("left")),
		DiskFull: f.text("full") == "1", Detail: f.text("detail"), Err: f.text("err"),
	}
	if !ok || f.text("id") != id || f.bad || e.Reason == "" {
		return Exit{}, false
	}
	return e, true
}

func appendCapture(b []byte, stream string, c Capture) []byte {
	b = appendNumber(b, stream+"size", c.Size)
	b = appendNumber(b, stream+"head", c.Head)
	b = appendNumber(b, stream+"tail", c.Tail)
	return appendField(b, stream+"cut", flag(c.Truncated))
}

func (s *fieldSet) capture(stream string) Capture {
	return Capture{
		Size: s.number(stream + "size"), Head: s.number(stream + "head"), Tail: s.number(stream + "tail"),
		Truncated: s.text(stream+"cut") == "1",
	}
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
