package limits

import "time"

// Limits bounds a command. The zero value of a field means its default.
type Limits struct {
	Wall   time.Duration // total running time; default: none
	Idle   time.Duration // time in which neither stdout nor stderr grows; default: none
	Grace  time.Duration // from SIGTERM to SIGKILL; default 5 s
	Output int64         // bytes kept per stream, half from each end; default 50 MiB
}

const (
	defaultGrace  = 5 * time.Second
	defaultOutput = 50 << 20
)

// WithDefaults returns the limits with a grace time and an output cap in any case.
func (l Limits) WithDefaults() Limits {
	if l.Grace <= 0 {
		l.Grace = defaultGrace
	}
	if l.Output <= 0 {
		l.Output = defaultOutput
	}
	return l
}

// Reason says who ended a command.
type Reason string

const (
	Exited      Reason = "exit"         // the command itself, by exit or by a signal not ours
	Canceled    Reason = "canceled"     // the caller
	IdleTimeout Reason = "idle_timeout" // Limits.Idle
	WallTimeout Reason = "wall_timeout" // Limits.Wall
	OutputCap   Reason = "output_cap"   // Limits.Output, on a file system that cannot drop the middle of a file
	OutputLost  Reason = "output_lost"  // an output file could no longer be watched
)
