package js

import "math"

const (
	tickNanos = 1000 // one reading of a clock
	// monotonicStart is what the monotonic clock shows at the start.
	monotonicStart = 1_000_000_000
	timeMax        = math.MaxInt64 // clocks stop there

	clockRealtime  = 0
	clockMonotonic = 1
)

// virtualTime is the time that a worker lives in: every reading moves it on by a
// microsecond, and a turn may start later than the one before ended.
type virtualTime struct {
	Real    uint64 // nanoseconds since 1970
	Elapsed uint64 // nanoseconds of readings, over all turns
}

// read is the reading of a clock, which then moves on.
func (t *virtualTime) read(clock uint32) uint64 {
	now := t.Real
	if clock == clockMonotonic {
		now = min(monotonicStart+t.Elapsed, timeMax)
	}
	t.Real, t.Elapsed = min(t.Real+tickNanos, timeMax), min(t.Elapsed+tickNanos, timeMax)
	return now
}

// readClock is the reading of a clock: of Config.Clock, or of virtual time.
func (w *Worker) readClock(clock uint32) uint64 {
	if w.config.Clock != nil {
		return min(w.config.Clock(), timeMax)
	}
	return w.time.read(clock)
}

func (w *Worker) clockTimeGet(stack []uint64) error {
	clock, at := uint32(stack[0]), uint32(stack[2])
	if clock > clockMonotonic {
		stack[0] = errnoInval
		return nil
	}
	b, ok := w.instance.Bytes(at, 8)
	if !ok {
		stack[0] = errnoFault
		return nil
	}
	if w.booting {
		// The engine takes its random state from a clock.
		clear(b)
		w.chance().XORKeyStream(b, b)
		le.PutUint64(b, le.Uint64(b)>>2)
	} else {
		le.PutUint64(b, w.readClock(clock))
	}
	stack[0] = errnoOK
	return nil
}
