package meter

import "slices"

// A touch is an open loop.
type touch struct {
	loop   uint32 // number in inner, and mark, less one
	locals []local
	full   bool // more than touchedMax: not worth knowing

	calls      bool // a call stands in it: no register is kept over all of it anyway
	floats     bool // float arithmetic stands in it
	dispatches bool // a br_table stands in it, and in no loop within
}

// touch notes that the innermost loop reads or writes a local.
func (v *validator) touch(l local) {
	loop := &v.touching[len(v.touching)-1]
	if loop.full || v.mark[l.index] == loop.loop+1 || l.t.Reference() {
		return
	}
	v.mark[l.index] = loop.loop + 1
	if len(loop.locals) == touchedMax {
		loop.full = true
		return
	}
	loop.locals = append(loop.locals, l)
}

// calling notes that the innermost loop calls.
func (v *validator) calling() {
	if n := len(v.touching); n > 0 {
		v.touching[n-1].calls = true
	}
}

// computing notes that the innermost loop does float arithmetic.
func (v *validator) computing() {
	if n := len(v.touching); n > 0 {
		v.touching[n-1].floats = true
	}
}

// closeLoop settles what a loop touches: it is also touched by the loop around.
func (v *validator) closeLoop() {
	loop := v.touching[len(v.touching)-1]
	v.touching = v.touching[:len(v.touching)-1]
	inner := &v.inner[loop.loop]
	inner.calls, inner.floats = loop.calls, loop.floats
	switch {
	case loop.full || loop.calls:
	case loop.dispatches:
		// One more assignment of a local costs the large loop of an interpreter
		// more than it gains, but where no register survives a call.
		inner.touched = slices.DeleteFunc(slices.Clone(loop.locals), func(l local) bool { return l.t == I32 || l.t == I64 })
	default:
		inner.touched = loop.locals
	}
	if len(v.touching) == 0 {
		return
	}
	for _, l := range loop.locals {
		// The mark may be this loop's where the loop around has seen it before.
		around := &v.touching[len(v.touching)-1]
		if !slices.Contains(around.locals, l) {
			v.mark[l.index] = 0
			v.touch(l)
		}
	}
	around := &v.touching[len(v.touching)-1]
	around.full = around.full || loop.full
	around.calls = around.calls || loop.calls
}
