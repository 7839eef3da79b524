package proctree

import (
	"syscall"
	"time"
)

// Sweeper ends the processes that a command leaves behind. It is for one command and one
// goroutine.
type Sweeper struct {
	remaining func() (members []Process, some bool)
	signalled map[ID]bool
}

// NewSweeper returns a sweeper for the command whose leader has ended. Remaining returns
// its living processes. It reports false if there is none; true without a process means
// that some are just ending.
func NewSweeper(leader int, remaining func() (members []Process, some bool)) *Sweeper {
	return &Sweeper{remaining: remaining, signalled: map[ID]bool{}}
}

// Sweep gives the processes time to end by themselves, then asks them to, then kills them.
// Those that were asked before are not asked again. It returns how many it signalled and
// which are left.
func (s *Sweeper) Sweep(asked bool) (swept int, left []Process) {
	linger, some := lingerTime, false
	if asked {
		linger += termTime
	}
	if _, some = s.signal(0, linger); some && !asked {
		_, some = s.signal(syscall.SIGTERM, termTime)
	}
	if some {
		left, _ = s.signal(syscall.SIGKILL, killTime)
	}
	return len(s.signalled), left
}

// Kill goes on killing what Sweep had to leave, for at most d.
func (s *Sweeper) Kill(d time.Duration) { s.signal(syscall.SIGKILL, d) }

// signal signals all processes, also such as appear meanwhile, and waits at most d for
// them to end. It returns those that are left, and reports false if there is none. Signal
// 0 only waits. Nobody is asked to end twice.
func (s *Sweeper) signal(sig syscall.Signal, d time.Duration) (left []Process, some bool) {
	const round = 20 * time.Millisecond // then look for new ones
	end := time.Now().Add(d)
	for first := true; ; first = false {
		members, some := s.remaining()
		// On a busy machine the time may be over after the first look.
		rest := time.Until(end)
		if !some || rest <= 0 && !first {
			return members, some
		}
		s.signalOnce(members, sig, min(rest, round))
	}
}

// signalOnce signals members once and waits at most d for all of them to end.
func (s *Sweeper) signalOnce(members []Process, sig syscall.Signal, d time.Duration) {
	var handles []handle
	for _, p := range members {
		h, err := openHandle(p.ID)
		if err != nil {
			continue
		}
		defer h.close()
		if again := sig == syscall.SIGKILL; sig != 0 && (again || !s.signalled[p.ID]) && h.signal(sig) == nil {
			s.signalled[p.ID] = true
		}
		handles = append(handles, h)
	}
	if len(members) == 0 {
		d = min(d, time.Millisecond)
	}
	waitAll(handles, d)
}

// KillAll kills the processes that find returns, until it returns none or d is over: a
// process that is killed may have started another just before. It returns how many
// processes it killed.
func KillAll(find func() []Process, d time.Duration) int {
	killed := map[ID]bool{}
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		found := find()
		if len(found) == 0 {
			break
		}
		for _, p := range found {
			if Signal(p.ID, syscall.SIGKILL) == nil {
				killed[p.ID] = true
			}
		}
	}
	return len(killed)
}
