package meter

import "math"

// A bodyWriter rewrites function bodies. It is reused from body to body.
//
// Fuel is counted down in a global, the counter. A function with loops keeps it
// in a local (call it f) and puts it into the global around calls and at its end. Where a
// slice may be used up, the guest asks its host for more: refuel(f, owed).
//
// The call of refuel stands outside of the loop that needs it, because a call
// in a loop, even one that hardly ever runs, costs registers in all of it:
//
//	block $done
//	  loop $retry
//	    block $slow
//	      loop $L                        ;; the guest's loop
//	        (br_if $slow (i64.lt_s f owed))
//	        …
//	      end
//	      br $done
//	    end
//	    f = refuel(f, owed)                      ;; with the loop's locals put aside
//	    br $retry
//	  end
//	end
//
// A recursive function adds the weight of its frame to the same counter, and
// takes it away at its end: see Counter. Functions that are checked, recursive or
// not (see callGraph.bound), ask on entry for both, fuel and depth.
type bodyWriter struct {
	emitter
	r    *rewriter
	plan plan

	f       *function
	events  []event // of f, with small loops unrolled
	buffer  []event
	index   int  // of the defined function
	inLocal bool // fuel is kept in a local
	wrapped bool // the body stands in a block of its own, with an epilogue behind

	fuel                    uint32 // locals
	tmpI32, tmpF32, tmpF64  uint32
	tmpV128, nans32, nans64 uint32

	marking bool // somebody wants to know where what is written comes from
	marks   []mark

	level  int32 // blocks open in what is written
	frames []bodyFrame
	skip   bool // what follows is dead code
}

type bodyFrame struct {
	op      byte
	level   int32 // of its label
	pos     int   // of a loop: its first instruction, in the program's bytes
	loop    bool  // stands in the shape above
	owed    int64
	touched []local
}

// write appends the body of a defined function, without its size.
func (w *bodyWriter) write(index int, f *function) {
	r := w.r
	w.b, w.f, w.index = w.b[:0], f, index
	w.marking, w.marks = r.origins != nil && r.origins.want(uint32(len(r.p.imports)+index)), w.marks[:0]
	w.inLocal = f.loops
	w.wrapped = w.inLocal || r.graph.recursive[index] || r.graph.checkedLast[index]
	w.level, w.skip = 0, false
	w.events, w.buffer = unroll(r.p.wasm, f, w.buffer)
	w.plan.make(w.events, r.p.wasm, w.wrapped, r.counted(index))

	t := &r.p.types[r.p.funcs[index]]
	w.declare()
	w.mark(f.code, false)
	w.enter()
	w.frames = append(w.frames[:0], bodyFrame{op: opBlock})
	if w.wrapped {
		w.blockType(opBlock, t.Results, r.resultType)
		w.level++
		w.frames[0].level = 1
	}
	w.charge(0)
	pos := f.code
	for i := range w.events {
		e := &w.events[i]
		if !w.skip {
			w.mark(pos, true)
			w.b = append(w.b, r.p.wasm[pos:e.pos]...)
		}
		w.skip = false
		pos = int(e.end)
		w.mark(int(e.pos), false)
		w.event(i, e)
		if len(w.b) > bodyMeteredMax {
			refuse(f.body.start, "a function body of more than %d bytes after rewriting", bodyMeteredMax)
		}
	}
}

// declare writes the locals: the function's own, then ours.
func (w *bodyWriter) declare() {
	f := w.f
	type group struct {
		at *uint32
		t  ValType
	}
	var own []group
	add := func(at *uint32, t ValType) { own = append(own, group{at, t}) }
	if w.inLocal {
		add(&w.fuel, I64)
	}
	if f.needs&needI32 != 0 {
		add(&w.tmpI32, I32)
	}
	if f.needs&needF32 != 0 {
		add(&w.tmpF32, F32)
	}
	if f.needs&needF64 != 0 {
		add(&w.tmpF64, F64)
	}
	if f.needs&(needV128|needLanes32|needLanes64) != 0 {
		add(&w.tmpV128, V128)
	}
	if f.needs&needLanes32 != 0 {
		add(&w.nans32, V128)
	}
	if f.needs&needLanes64 != 0 {
		add(&w.nans64, V128)
	}
	w.b = appendU32(w.b, f.nGroups+uint32(len(own)))
	w.b = append(w.b, w.r.p.wasm[f.groups.start:f.groups.end]...)
	for i, g := range own {
		*g.at = f.nLocals + uint32(i)
		w.b = append(w.b, 1, byte(g.t))
	}
}

// enter checks depth and fuel, and sets up our locals.
func (w *bodyWriter) enter() {
	r := w.r
	if r.graph.checked[w.index] {
		r.weighed(&w.emitter, w.index)
		w.i64(math.MinInt64 | WeightMax)
		w.op(opI64And)
		w.i64(0)
		w.op(opI64Ne, opIf, typeVoid)
		for i := range w.f.params {
			w.localGet(uint32(i))
		}
		w.call(r.slow[uint32(w.index)])
		w.op(opReturn, opEnd)
	}
	if w.inLocal {
		w.globalGet(r.counter)
		w.localSet(w.fuel)
	}
	if w.f.needs&needLanes32 != 0 {
		w.nans(true)
		w.localSet(w.nans32)
	}
	if w.f.needs&needLanes64 != 0 {
		w.nans(false)
		w.localSet(w.nans64)
	}
}

func (w *bodyWriter) getFuel() {
	if w.inLocal {
		w.localGet(w.fuel)
	} else {
		w.globalGet(w.r.counter)
	}
}

func (w *bodyWriter) setFuel() {
	if w.inLocal {
		w.localSet(w.fuel)
	} else {
		w.globalSet(w.r.counter)
	}
}

// spill puts the fuel where others see it, before a call.
func (w *bodyWriter) spill() {
	if w.inLocal {
		w.localGet(w.fuel)
		w.globalSet(w.r.counter)
	}
}

// reload takes it back after a call.
func (w *bodyWriter) reload() {
	if w.inLocal {
		w.globalGet(w.r.counter)
		w.localSet(w.fuel)
	}
}

// check asks for more fuel where a slice is used up.
func (w *bodyWriter) check(owed int64) {
	w.getFuel()
	w.i64(owed)
	w.op(opI64LtS, opIf, typeVoid)
	w.refuel(owed)
	w.op(opEnd)
}

func (w *bodyWriter) refuel(owed int64) {
	w.getFuel()
	w.i64(owed)
	w.call(w.r.refuel)
	w.setFuel()
}

// charge takes what a segment charges.
func (w *bodyWriter) charge(segment int32) {
	if segment == none {
		return
	}
	if units := w.plan.segments[segment].charge; units != 0 {
		w.getFuel()
		w.i64(units)
		w.op(opI64Sub)
		w.setFuel()
	}
}

func (w *bodyWriter) event(i int, e *event) {
	if e.kind == evAgain {
		w.again(i, e)
		return
	}
	raw := w.r.p.wasm[e.pos:e.end]
	switch e.kind {
	case evNone:
		w.op(raw...)
	case evBlock, evIf:
		w.op(raw...)
		w.level++
		w.frames = append(w.frames, bodyFrame{op: raw[0], level: w.level})
	case evLoop:
		w.loop(i, raw)
	case evElse:
		w.op(opElse)
	case evEnd:
		w.end()
	case evBr, evReturn, evBrIf, evBrTable:
		w.branch(i, e)
	case evUnreachable:
		w.op(opUnreachable)
		w.skip = true
	case evCall, evCallIndirect, evGrow:
		w.calls(e, raw)
	case evRefFunc:
		w.indexed(opRefFunc, w.r.reference(e.arg))
	case evCanon32, evCanon64:
		if raw[0] == opF32Store || raw[0] == opF64Store {
			w.store(e.kind == evCanon32, raw)
			break
		}
		w.canon(e.kind == evCanon32)
		w.op(raw...)
	case evCopysign32, evCopysign64:
		w.copysign(e.kind == evCopysign32)
	case evLanes32, evLanes64:
		w.op(raw...)
		w.lanes(e.kind == evLanes32)
	case evGlobalGet, evGlobalSet:
		w.global(e)
	default:
		w.bulk(e, raw)
	}
	w.charge(w.plan.starts[i])
}

// again ends a copy of an unrolled loop's body: out of the loop, to $done, if
// the condition on top does not hold.
func (w *bodyWriter) again(i int, e *event) {
	if e.flag {
		w.op(opI32Eqz)
		w.branchIf(w.frames[len(w.frames)-1].level-3, w.plan.exits[i])
		w.charge(w.plan.starts[i])
	}
}

// loop opens a loop in the shape that keeps refuel out of it. One more call does
// no harm in a loop that calls anyway, and a loop that takes parameters cannot
// be entered again: they have it inside.
func (w *bodyWriter) loop(i int, raw []byte) {
	head := &w.plan.segments[w.plan.starts[i]]
	owed := head.owed + head.charge
	params, results := w.r.loopType(raw)
	inner := &w.f.inner[w.events[i].arg]
	frame := bodyFrame{op: opLoop, pos: int(w.events[i].end), owed: owed, loop: len(params) == 0 && !inner.calls, touched: inner.touched}
	if frame.loop {
		w.blockType(opBlock, results, w.r.resultType)
		w.blockType(opLoop, results, w.r.resultType)
		w.op(opBlock, typeVoid)
		w.level += 3
	}
	w.op(raw...)
	w.level++
	frame.level = w.level
	w.frames = append(w.frames, frame)
	if !frame.loop {
		if !w.callsChecked(i) {
			w.check(owed)
		}
		return
	}
	w.getFuel()
	w.i64(owed)
	w.op(opI64LtS, opBrIf, 1)
}

// callsChecked reports whether every round of the loop at event i calls a
// function whose entry is checked: then the loop needs no check of its own. It
// sees only calls at the loop's own level with no way back before them, and
// looks no further than callEventsMax events: loops may be nested.
func (w *bodyWriter) callsChecked(i int) bool {
	const callEventsMax = 1000
	for depth, end := uint32(0), min(i+callEventsMax, len(w.events)); i < end; i++ {
		switch e := &w.events[i]; e.kind {
		case evBlock, evLoop, evIf:
			depth++
		case evEnd:
			if depth--; depth == 0 {
				return false
			}
		case evBr, evBrIf:
			if e.arg == depth-1 {
				return false
			}
		case evBrTable:
			return false
		case evCall:
			if fn := int(e.arg) - len(w.r.p.imports); depth == 1 && fn >= 0 && w.r.graph.checked[fn] {
				return true
			}
		}
	}
	return false
}

func (w *bodyWriter) end() {
	frame := w.frames[len(w.frames)-1]
	w.frames = w.frames[:len(w.frames)-1]
	if len(w.frames) == 0 {
		w.leave()
		return
	}
	w.op(opEnd)
	w.level--
	if !frame.loop {
		return
	}
	w.op(opBr, 2, opEnd)
	w.mark(frame.pos, false)
	w.putAside(frame.touched, func() { w.refuel(frame.owed) })
	w.op(opBr, 0, opEnd, opEnd)
	w.level -= 3
}

// putAside keeps locals in globals around a call. To the engine they are dead
// during it, so that the call, which hardly ever runs, takes no registers from
// the code around.
func (w *bodyWriter) putAside(locals []local, call func()) {
	w.aside(locals, func(l uint32, g uint32) {
		w.localGet(l)
		w.globalSet(g)
	})
	call()
	w.aside(locals, func(l uint32, g uint32) {
		w.globalGet(g)
		w.localSet(l)
	})
}

func (w *bodyWriter) aside(locals []local, move func(l, g uint32)) {
	var used [asideTypes]int
	for _, l := range locals {
		t := asideType(l.t)
		move(l.index, w.r.aside[t]+uint32(used[t]))
		used[t]++
	}
}

// leave ends the function.
func (w *bodyWriter) leave() {
	w.op(opEnd)
	if !w.wrapped {
		return
	}
	w.charge(int32(len(w.plan.segments) - 1))
	if w.r.graph.checkedLast[w.index] {
		w.check(0)
	}
	w.spill()
	w.op(opEnd)
}

// to is the depth of an original label in what is written.
func (w *bodyWriter) to(depth uint32) uint32 {
	return uint32(w.level - w.frames[len(w.frames)-1-int(depth)].level)
}

func (w *bodyWriter) branch(i int, e *event) {
	switch e.kind {
	case evBr:
		w.indexed(opBr, w.to(e.arg))
	case evReturn:
		if w.wrapped {
			w.indexed(opBr, w.to(uint32(len(w.frames)-1)))
		} else {
			w.op(opReturn)
		}
	case evBrTable:
		r := &reader{b: w.r.p.wasm, pos: int(e.pos) + 1, end: int(e.end)}
		n := r.u32()
		w.indexed(opBrTable, n)
		for range n + 1 {
			w.b = appendU32(w.b, w.to(r.u32()))
		}
	case evBrIf:
		w.branchIf(w.frames[len(w.frames)-1-int(e.arg)].level, w.plan.exits[i])
		return
	}
	w.skip = true
}

// branchIf branches to the label at a level, charging on the way what the exit
// segment charges.
func (w *bodyWriter) branchIf(level, exit int32) {
	if exit == none || w.plan.segments[exit].charge == 0 {
		w.indexed(opBrIf, uint32(w.level-level))
		return
	}
	w.op(opIf, typeVoid)
	w.level++
	w.charge(exit)
	w.indexed(opBr, uint32(w.level-level))
	w.level--
	w.op(opEnd)
}

func (w *bodyWriter) calls(e *event, raw []byte) {
	if e.kind == evCall && int(e.arg) < len(w.r.p.imports) {
		w.check(0)
	}
	w.spill()
	switch e.kind {
	case evCall:
		w.call(w.r.renumber(e.arg))
	case evGrow:
		w.call(w.r.grow)
	default:
		w.op(raw...)
	}
	w.reload()
}

// global reads or writes a v128 global as two i64.
func (w *bodyWriter) global(e *event) {
	high := w.r.highHalf[e.arg]
	if e.kind == evGlobalGet {
		w.globalGet(e.arg)
		w.vector(opI64x2Splat)
		w.globalGet(high)
		w.vector(opI64x2ReplaceLane)
		w.op(1)
		return
	}
	w.localTee(w.tmpV128)
	w.vector(opI64x2ExtractLane)
	w.op(0)
	w.globalSet(e.arg)
	w.localGet(w.tmpV128)
	w.vector(opI64x2ExtractLane)
	w.op(1)
	w.globalSet(high)
}

// bulk writes a bulk instruction, paid for before it runs.
func (w *bodyWriter) bulk(e *event, raw []byte) {
	switch {
	case e.kind == evBytes, e.kind == evMemoryInit && e.flag:
		w.chargeLength(bulkBytesShift)
	case e.kind == evEntries, e.kind == evTableInit && e.flag:
		w.chargeLength(0)
	}
	switch e.kind {
	case evMemoryInit:
		w.r.memoryInit(&w.emitter, e.arg, raw)
	case evTableInit:
		w.r.tableInit(&w.emitter, e, raw)
	case evDataDrop:
		w.r.drop(&w.emitter, w.r.dataDropped, e.arg)
	case evElemDrop:
		w.r.drop(&w.emitter, w.r.elemDropped, e.arg)
	default:
		w.op(raw...)
	}
}

// chargeLength charges for the length on top of the stack.
func (w *bodyWriter) chargeLength(shift int32) {
	w.localTee(w.tmpI32)
	w.getFuel()
	w.localGet(w.tmpI32)
	if shift > 0 {
		w.i32(shift)
		w.op(opI32ShrU)
	}
	w.op(opI64ExtendI32U)
	w.i64(WeightBits)
	w.op(opI64Shl, opI64Sub)
	w.setFuel()
	w.check(0)
}
