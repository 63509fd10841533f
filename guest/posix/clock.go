package posix

import (
	"math"
)

const (
	tickNanos = 1000 // one reading of a clock, in mode Tick; also the resolution
	// monotonicStart is the monotonic clock at the start: some runtimes, Go's
	// among them, take a zero for a broken clock.
	monotonicStart = 1_000_000_000
	timeMax        = math.MaxInt64 // clocks stop there
)

const (
	clockRealtime = iota
	clockMonotonic
	clockProcess
	clockThread
	clocks
)

// virtualTime is the time that a program lives in. Nothing but readings and sleep
// moves it, and that a later turn starts later.
type virtualTime struct {
	real    uint64 // what the real-time clock shows
	elapsed uint64 // readings and sleep: what the monotonic clock has moved by
	busy    uint64 // readings only: what the CPU clocks show
	tick    uint64 // added by each reading
}

// read is the reading of a clock, which then moves on.
func (t *virtualTime) read(clock uint32) uint64 {
	now := t.at(clock)
	t.sleep(t.tick)
	t.busy = later(t.busy, t.tick)
	return now
}

// at is what a clock shows.
func (t *virtualTime) at(clock uint32) uint64 {
	switch clock {
	case clockRealtime:
		return t.real
	case clockMonotonic:
		return later(monotonicStart, t.elapsed)
	default:
		return t.busy
	}
}

// sleep moves time on, but not the CPU clocks.
func (t *virtualTime) sleep(nanos uint64) {
	t.real, t.elapsed = later(t.real, nanos), later(t.elapsed, nanos)
}

func later(t, nanos uint64) uint64 {
	if sum := t + nanos; sum >= t && sum <= timeMax {
		return sum
	}
	return timeMax
}

func (s *System) clockResGet(stack []uint64) error {
	if uint32(stack[0]) >= clocks {
		return EINVAL
	}
	return s.put64(uint32(stack[1]), tickNanos)
}

func (s *System) clockTimeGet(stack []uint64) error {
	clock := uint32(stack[0])
	if clock >= clocks {
		return EINVAL
	}
	return s.put64(uint32(stack[2]), s.time.read(clock))
}
