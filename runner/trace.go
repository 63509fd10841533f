package runner

import (
	"carrel/machine"
	"carrel/machine/meter"
	"carrel/program/symbols"
)

// A trace shows this many calls at most, the innermost and the outermost.
const (
	traceFirst = 15
	traceLast  = 5
)

// A Frame is a call of the program that had not returned when it was ended.
type Frame struct {
	symbols.Call
	Index uint32 // of the function in the program
	Times int    // so many calls of that kind in a row
	Left  int    // calls left out after this one; negative if nobody knows how many
}

// Trace is where the program was when a fault ended it or it was stopped, the
// innermost call first. It is for people: how much of it is known depends on the
// engine and on what the program says of itself.
func (t *Turn) Trace() []Frame {
	kinds := t.kinds()
	if len(kinds) == 0 {
		return nil
	}
	table := symbols.Read(t.spec.Program)
	described := map[uint32]bool{}
	for _, kind := range kinds {
		if kind.Offset >= 0 && table.Describes(kind.Function) {
			described[kind.Function] = true
		}
	}
	origins := new(meter.Origins)
	if len(described) > 0 {
		found, err := meter.FindOrigins(t.spec.Program, func(function uint32) bool { return described[function] })
		if err == nil { // as it was when the program was loaded
			origins = found
		}
	}
	var trace []Frame
	for _, kind := range kinds {
		offset, ok := origins.Of(kind.Offset)
		if !ok {
			offset = -1
		}
		for _, call := range table.Calls(kind.Function, offset) {
			trace = append(trace, Frame{Call: call, Index: kind.Function, Times: kind.times})
		}
		trace[len(trace)-1].Left = kind.left
	}
	return trace
}

// A kind is a call that stands in a trace several times in a row.
type kind struct {
	machine.Frame // its function is the program's
	times, left   int
}

// kinds are the calls of the trace that are shown.
func (t *Turn) kinds() []kind {
	var kinds []kind
	for _, frame := range t.frames {
		function, ok := t.module.Function(frame.Function)
		more := frame.More
		if frame.Function, frame.More = function, false; ok {
			if n := len(kinds) - 1; n >= 0 && kinds[n].Frame == frame {
				kinds[n].times++
			} else {
				kinds = append(kinds, kind{Frame: frame, times: 1})
			}
		}
		if n := len(kinds) - 1; more && n >= 0 {
			kinds[n].left = -1
		}
	}
	if len(kinds) <= traceFirst+traceLast {
		return kinds
	}
	shown := kinds[:traceFirst:traceFirst]
	last := kinds[len(kinds)-traceLast:]
	left := 0
	for _, k := range kinds[traceFirst : len(kinds)-traceLast] {
		left += k.times
	}
	shown[traceFirst-1].left = left
	return append(shown, last...)
}
