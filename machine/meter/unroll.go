package meter

// Small innermost loops are written several times over, so that fuel is charged
// and checked once for several rounds: what a round costs too much or too
// little on the way out is settled on the way out (see plan).
const (
	unrollTwiceBytes = 200 // a body of at most so many bytes is written twice
	unrollMostBytes  = 80  // … four times
	// unrollBodyMax is the size of functions, in bytes, beyond which no loop is
	// unrolled: they are full of them, or not worth it.
	unrollBodyMax = 256 << 10
)

// unroll answers the events of a function with its small loops unrolled, in the
// buffer if there are any, and the buffer for the next time.
func unroll(wasm []byte, f *function, buffer []event) (unrolledEvents, reuse []event) {
	events := f.events
	buffer = buffer[:0]
	if len(events) == 0 || events[len(events)-1].end-events[0].pos > unrollBodyMax {
		return events, buffer
	}
	unrolled := false
	for i := 0; i < len(events); i++ {
		e := events[i]
		last := 0
		if e.kind == evLoop && wasm[e.pos+1] == typeVoid {
			last = lastOfLoop(events, i)
			if last > 0 && f.inner[e.arg].floats && events[last].end-e.end > unrollMostBytes {
				last = 0 // unrolled by its compiler, most likely: twice that, and sums are spilled
			}
		}
		if last == 0 {
			if unrolled {
				buffer = append(buffer, e)
			}
			continue
		}
		copies := 4
		if events[last].end-e.end > unrollMostBytes {
			copies = 2
		}
		if !unrolled {
			unrolled = true
			buffer = append(buffer, events[:i]...)
		}
		e.flag = true
		buffer = append(buffer, e)
		for range copies - 1 {
			buffer = append(buffer, events[i+1:last]...)
			back := events[last]
			buffer = append(buffer, event{
				pos: back.pos, end: e.end, cost: back.cost,
				kind: evAgain, flag: back.kind == evBrIf,
			})
		}
		buffer = append(buffer, events[i+1:last+1]...)
		i = last
	}
	if !unrolled {
		return events, buffer
	}
	return buffer, buffer
}

// lastOfLoop finds the branch back that ends a loop worth unrolling: one small
// body with no other control in it than branches out. 0 means it is none.
func lastOfLoop(events []event, loop int) int {
	start := events[loop].end
	for i := loop + 1; i+1 < len(events) && events[i].end-start <= unrollTwiceBytes; i++ {
		e := &events[i]
		switch e.kind {
		case evNone, evCanon32, evCanon64, evCopysign32, evCopysign64, evLanes32, evLanes64, evGlobalGet, evGlobalSet, evRefFunc:
			continue
		case evBr:
		case evBrIf:
			if !e.flag {
				return 0
			}
			if e.arg > 0 {
				continue
			}
		default:
			return 0
		}
		if e.arg == 0 && events[i+1].kind == evEnd && events[i+1].pos == e.end {
			return i
		}
		return 0
	}
	return 0
}
