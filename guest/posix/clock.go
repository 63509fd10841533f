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

// virtualTime is the time of one run. Nothing but readings and sleep moves it.
type virtualTime struct {
	start   uint64 // of the real-time clock
	elapsed uint64 // readings and sleep
	busy    uint64 // readings only: what the CPU clocks show
	tick    uint64 // added by each reading
}

// read is the reading of a clock, which then moves on.
func (t *virtualTime) read(clock uint32) uint64 {
	now := t.at(clock)
	t.elapsed = later(t.elapsed, t.tick)
	t.busy = later(t.busy, t.tick)
	return now
}

// at is what a clock shows.
func (t *virtualTime) at(clock uint32) uint64 {
	switch clock {
	case clockRealtime:
		return later(t.start, t.elapsed)
	case clockMonotonic:
		return later(monotonicStart, t.elapsed)
	default:
		return t.busy
	}
}

// sleep moves time on, but not the CPU clocks.
func (t *virtualTime) sleep(nanos uint64) { t.elapsed = later(t.elapsed, nanos) }

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
