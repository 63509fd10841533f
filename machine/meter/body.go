package meter

import "math/bits"

// A validator checks function bodies and notes their events. It is reused from
// body to body.
type validator struct {
	reader
	p      *program
	stack  []slot
	frames []frame
	locals []ValType
	events []event
	arena  []event

	cost      uint64 // since the last event
	total     uint64
	height    int    // highest stack
	wide      uint32 // locals that are v128
	vectors   bool
	needs     need
	loops     bool
	loopDepth int
	constEnd  int // end of an i32.const just read, and its value
	constBits uint32

	// The locals that the open loops touch, innermost loop last: a list for
	// each, without repetition. mark says in which loop a local was seen last.
	touching []touch
	inner    []innards
	mark     []uint32

	// Which locals may hold a NaN made by arithmetic.
	madeLocals []bool
	flows      [][2]uint32 // from local to local

	imageable []Reason // why not
	fn        uint32
}

var singles = map[ValType][]ValType{I32: {I32}, I64: {I64}, F32: {F32}, F64: {F64}, V128: {V128}, FuncRef: {FuncRef}, ExternRef: {ExternRef}}

// function validates the body of a defined function.
func (v *validator) function(index int) function {
	p := v.p
	body := p.bodies[index]
	t := &p.types[p.funcs[index]]
	v.fn = uint32(len(p.imports) + index)
	v.reader = reader{b: p.wasm, pos: body.start, end: body.end}
	v.stack, v.frames, v.events = v.stack[:0], v.frames[:0], v.events[:0]
	v.total, v.height, v.vectors, v.needs, v.loops, v.constEnd = 0, 0, false, 0, false, -1
	v.flows = v.flows[:0]
	v.touching, v.inner = v.touching[:0], nil

	f := function{body: body}
	v.readLocals(&f, t)
	f.code = v.pos
	v.cost = uint64(costEntry + f.nLocals/costLocals)
	v.total = v.cost
	v.frames = append(v.frames, frame{op: opBlock, results: t.Results})
	for len(v.frames) > 0 {
		v.instruction()
	}
	if v.pos != v.end {
		refuse(v.pos, "END opcode expected: code goes on after the end of function %d", v.fn)
	}
	f.cost, f.loops = v.total, v.loops
	f.weight = v.weigh(uint32(len(t.Results)), uint32(body.end-body.start))
	if f.weight > frameWeightMax {
		refuse(body.start, "function %d has a stack weight of %d slots, the limit is %d", v.fn, f.weight, frameWeightMax)
	}
	v.resolve()
	f.needs, f.inner, f.params = v.needs, v.inner, t.Params
	f.events = v.keep()
	return f
}

func (v *validator) readLocals(f *function, t *FuncType) {
	v.locals, v.wide = append(v.locals[:0], t.Params...), 0
	for _, p := range t.Params {
		if p == V128 {
			v.wide++
		}
	}
	at := v.pos
	f.nGroups = v.u32()
	if f.nGroups > localsMax {
		refuse(at, "%d groups of locals, the limit is %d", f.nGroups, localsMax)
	}
	f.groups.start = v.pos
	for range f.nGroups {
		at := v.pos
		n := v.u32()
		if int64(n)+int64(len(v.locals)) > localsMax {
			refuse(at, "too many locals: the limit is %d", localsMax)
		}
		lt := v.valType()
		v.locals = append(v.locals, make([]ValType, n)...)
		for i := len(v.locals) - int(n); i < len(v.locals); i++ {
			v.locals[i] = lt
		}
		if lt == V128 {
			v.wide += n
		}
	}
	f.groups.end = v.pos
	f.nLocals = uint32(len(v.locals))
	v.madeLocals = append(v.madeLocals[:0], make([]bool, len(v.locals))...)
	v.mark = append(v.mark[:0], make([]uint32, len(v.locals))...)
	for i := range t.Params {
		v.madeLocals[i] = true
	}
}

// weigh is the stack weight of a frame in slots of 8 bytes, for a body of so
// many bytes.
func (v *validator) weigh(results, size uint32) uint32 {
	w := uint32(frameSlots) + uint32(len(v.locals)) + v.wide + uint32(v.height) + results + size/bodyBytesPerSlot
	if v.vectors {
		w += uint32(v.height)
	}
	return w
}

// keep copies the events to where they stay.
func (v *validator) keep() []event {
	const chunk = 1 << 15
	if len(v.events) > cap(v.arena)-len(v.arena) {
		v.arena = make([]event, 0, max(chunk, len(v.events)))
	}
	start := len(v.arena)
	v.arena = append(v.arena, v.events...)
	return v.arena[start:len(v.arena):len(v.arena)]
}

// note records an event of live code, charged with all since the one before.
func (v *validator) note(kind eventKind, at int, arg uint32, flag bool) {
	v.events = append(v.events, event{pos: uint32(at), end: uint32(v.pos), cost: v.cost, arg: arg, kind: kind, flag: flag})
	v.cost = 0
}

func (v *validator) charge(units uint32) {
	v.cost += uint64(units)
	v.total += uint64(units)
}

// instruction validates one instruction.
func (v *validator) instruction() {
	at := v.pos
	op := v.byte()
	if info := &plainOps[op]; info.name != "" {
		v.plain(at, info)
		return
	}
	live := v.live()
	before, total := v.cost, v.total
	switch op {
	case opUnreachable:
		v.charge(1)
		if live {
			v.note(evUnreachable, at, 0, false)
		}
		v.die()
	case opNop:
	case opBlock, opLoop, opIf:
		v.open(at, op, live)
	case opElse:
		v.otherwise(at)
		return
	case opEnd:
		v.close(at)
		return
	case opBr:
		v.charge(1)
		depth, f := v.label(at)
		v.popAll(at, f.label())
		if live {
			v.note(evBr, at, depth, false)
		}
		v.die()
	case opBrIf:
		v.charge(1)
		depth, f := v.label(at)
		v.pop(at, I32)
		types := f.label()
		v.popAll(at, types)
		v.pushAll(types, made)
		if live {
			v.note(evBrIf, at, depth, len(types) == 0)
		}
	case opBrTable:
		v.charge(costTable)
		v.branchTable(at)
		if live && len(v.touching) > 0 {
			v.touching[len(v.touching)-1].dispatches = true
		}
		if live {
			v.note(evBrTable, at, 0, false)
		}
		v.die()
	case opReturn:
		v.charge(1)
		v.popAll(at, v.frames[0].results)
		if live {
			v.note(evReturn, at, 0, false)
		}
		v.die()
	case opCall:
		v.call(at, live)
	case opCallIndirect:
		v.callIndirect(at, live)
	case opDrop:
		v.charge(1)
		v.popAny(at)
	case opSelect, opSelectT:
		v.charge(1)
		v.choose(at, op)
	case opLocalGet, opLocalSet, opLocalTee:
		v.charge(1)
		v.local(at, op, live)
	case opGlobalGet, opGlobalSet:
		v.charge(1)
		v.global(at, op, live)
	case opTableGet, opTableSet:
		v.charge(2)
		v.tableAccess(at, op, live)
	case opMemorySize, opMemoryGrow:
		v.memorySize(at, op, live)
	case opI32Const:
		v.charge(1)
		x := v.signed(32)
		v.push(slot(I32))
		v.constEnd, v.constBits = v.pos, uint32(x)
	case opI64Const:
		v.charge(1)
		v.signed(64)
		v.push(slot(I64))
	case opF32Const:
		v.charge(1)
		v.bytes(4)
		v.push(slot(F32))
	case opF64Const:
		v.charge(1)
		v.bytes(8)
		v.push(slot(F64))
	case opRefNull:
		v.charge(1)
		v.push(slot(v.refType()))
	case opRefIsNull:
		v.charge(1)
		if t := v.popAny(at).valType(); t != 0 && !t.Reference() {
			refuse(at, "type mismatch: a reference wanted, %v on the stack", t)
		}
		v.push(slot(I32))
	case opRefFunc:
		v.refFunc(at, live)
	case opBulk:
		v.bulk(at, live)
	case opVector:
		v.vector(at, live)
	default:
		refuse(at, "illegal opcode 0x%02x", op)
	}
	if !live {
		v.cost, v.total = before, total // dead code costs nothing
	}
}

// plain validates an instruction of the tables.
func (v *validator) plain(at int, info *opInfo) {
	if info.imm != immNone {
		v.immediate(at, info)
	}
	var first, last slot
	switch info.pops {
	case 1:
		last = v.pop(at, info.pop[0])
		first = last
	case 2:
		last = v.pop(at, info.pop[1])
		first = v.pop(at, info.pop[0])
	case 3:
		last = v.pop(at, info.pop[2])
		v.pop(at, info.pop[1])
		first = v.pop(at, info.pop[0])
	}
	result := slot(info.push)
	live := v.live()
	if live {
		v.charge(uint32(info.cost))
	}
	switch info.nan {
	case nanMakes:
		result |= made
		v.computing()
	case nanKeep:
		result |= last.provenance()
	case nanTop:
		// copysign and replace_lane are as good as their first operand.
		sign := info.push == info.pop[0] && info.push != V128
		if sign {
			result |= first.provenance()
		}
		if live {
			v.canon(at, last, sign)
		}
	case nanLanes32:
		v.lanes(at, evLanes32, needLanes32, live)
	case nanLanes64:
		v.lanes(at, evLanes64, needLanes64, live)
	}
	if info.push != 0 {
		v.push(result)
	}
}

func (v *validator) immediate(at int, info *opInfo) {
	switch info.imm {
	case immMem:
		v.memArg(at, info.arg)
	case immMemLane:
		v.memArg(at, info.arg)
		v.lane(at, 16>>info.arg)
	case immLane:
		v.lane(at, info.arg)
	case immV128:
		v.bytes(16)
	case immShuffle:
		for _, lane := range v.bytes(16) {
			if lane >= 32 {
				refuse(at, "invalid lane index %d", lane)
			}
		}
	}
}

func (v *validator) memArg(at int, natural uint8) {
	if v.p.memory == nil {
		refuse(at, "unknown memory 0")
	}
	align := v.u32()
	if align >= 32 {
		refuse(at, "malformed memop flags %d", align)
	}
	if align > uint32(natural) {
		refuse(at, "alignment must not be larger than natural: 2^%d of 2^%d", align, natural)
	}
	v.u32()
}

func (v *validator) lane(at int, lanes uint8) {
	if lane := v.byte(); lane >= lanes {
		refuse(at, "invalid lane index %d of %d", lane, lanes)
	}
}

func (v *validator) choose(at int, op byte) {
	v.pop(at, I32)
	if op == opSelectT {
		if n := v.u32(); n != 1 {
			refuse(at, "invalid result arity: a select of %d types", n)
		}
		t := v.valType()
		b, a := v.pop(at, t), v.pop(at, t)
		v.push(slot(t) | join(a, b))
		return
	}
	b, a := v.popAny(at), v.popAny(at)
	ta, tb := a.valType(), b.valType()
	if ta.Reference() || tb.Reference() {
		refuse(at, "type mismatch: a select of references must name their type")
	}
	if ta != tb && ta != 0 && tb != 0 {
		refuse(at, "type mismatch: a select of %v and %v", ta, tb)
	}
	if ta == 0 {
		ta = tb
	}
	v.push(slot(ta) | join(a, b))
}

func (v *validator) local(at int, op byte, live bool) {
	index := v.u32()
	if int64(index) >= int64(len(v.locals)) {
		refuse(at, "unknown local %d", index)
	}
	t := v.locals[index]
	if live && len(v.touching) > 0 {
		v.touch(local{index, t})
	}
	float := t == F32 || t == F64
	if op == opLocalGet {
		s := slot(t)
		if float {
			s |= asLocal(index)
		}
		v.push(s)
		return
	}
	s := v.pop(at, t)
	if float && live {
		if from, ok := s.local(); ok {
			if from != index {
				v.flows = append(v.flows, [2]uint32{from, index})
			}
		} else if s.provenance() == made {
			v.madeLocals[index] = true
		}
	}
	if op == opLocalTee {
		v.push(slot(t) | s.provenance())
	}
}

func (v *validator) global(at int, op byte, live bool) {
	index := v.u32()
	if int64(index) >= int64(len(v.p.globals)) {
		refuse(at, "unknown global %d", index)
	}
	g := &v.p.globals[index]
	if op == opGlobalGet {
		v.push(slot(g.t))
		if live && g.mutable && g.t == V128 {
			v.note(evGlobalGet, at, index, false)
		}
		return
	}
	if !g.mutable {
		refuse(at, "global %d is immutable", index)
	}
	s := v.pop(at, g.t)
	if !live {
		return
	}
	switch {
	case g.t.Reference():
		v.notImageable(at, "global.set", "writes a global that holds a reference")
	case g.t == V128:
		v.needs |= needV128
		v.note(evGlobalSet, at, index, false)
	default:
		v.canon(at, s, false)
	}
}

const reasonsMax = 20

func (v *validator) notImageable(at int, instruction, does string) {
	if len(v.imageable) < reasonsMax {
		v.imageable = append(v.imageable, Reason{Offset: at, Instruction: instruction, Function: v.fn, Text: does})
	}
}

func (v *validator) refFunc(at int, live bool) {
	v.charge(2)
	fn := v.u32()
	if int64(fn) >= int64(v.p.funcCount()) {
		refuse(at, "unknown function %d", fn)
	}
	if v.p.referred == nil || !v.p.referred[fn] {
		refuse(at, "undeclared function reference to function %d", fn)
	}
	v.p.called[fn] = true
	v.push(slot(FuncRef))
	if live {
		v.note(evRefFunc, at, fn, false)
	}
}

func (v *validator) vector(at int, live bool) {
	v.vectors = true
	sub := v.u32()
	if sub >= uint32(len(vectorOps)) || vectorOps[sub].name == "" {
		if bits.Len32(sub) == 9 {
			refuse(at, "illegal opcode 0xfd 0x%x: relaxed SIMD is not deterministic", sub)
		}
		refuse(at, "illegal opcode 0xfd 0x%x", sub)
	}
	v.plain(at, &vectorOps[sub])
}
