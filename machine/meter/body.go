package meter

import (
	"cmp"
	"math/bits"
	"slices"
)

// A function is what validation learned of one function body. Rewriting works
// from it alone and from the body's bytes: code between two events is copied.
type function struct {
	body    span
	groups  span // the local declarations, without their count
	nGroups uint32
	code    int    // offset of the first instruction
	nLocals uint32 // parameters and locals
	weight  uint32 // stack weight of one frame
	cost    uint64 // of all instructions, each once
	loops   bool
	needs   need
	events  []event
	params  []ValType
	inner   []innards // by loop
}

// Innards are what matters of the inside of a loop.
type innards struct {
	touched []local // the locals that it reads or writes, if worth knowing
	calls   bool
}

// A local of a function.
type local struct {
	index uint32
	t     ValType
}

// A need is a temporary local that rewriting needs.
type need uint8

const (
	needI32 need = 1 << iota
	needF32
	needF64
	needV128
	needLanes32
	needLanes64
)

// An event is an instruction that rewriting has to look at. Events of dead code
// (after a branch, before the end of its block) are left out with that code.
type event struct {
	pos, end uint32 // the instruction's bytes
	cost     uint64 // of the instructions since the event before, this one included
	arg      uint32
	kind     eventKind
	flag     bool
}

type eventKind uint8

const (
	evNone         eventKind = iota
	evBlock                  // block, its end may be a branch target
	evLoop                   // arg: index in inner
	evIf                     //
	evElse                   //
	evEnd                    //
	evBr                     // arg: depth
	evBrIf                   // arg: depth; flag: the branch carries no values
	evBrTable                // targets are read again from the bytes
	evReturn                 //
	evUnreachable            //
	evCall                   // arg: function
	evCallIndirect           // arg: type
	evRefFunc                // arg: function
	evCanon32                // the f32 on top is made canonical before; arg: provenance; flag: it is copysign
	evCanon64                //
	evCopysign32             // copysign of a sign whose bits are fixed
	evCopysign64             //
	evLanes32                // the lanes of the v128 on top are made canonical after
	evLanes64                //
	evBytes                  // bulk instruction, length in bytes on top
	evEntries                // bulk instruction, length in table entries on top
	evMemoryInit             // arg: segment; flag: the length on top must be charged
	evTableInit              // arg: segment; flag as above; the table is read again
	evDataDrop               // arg: segment
	evElemDrop               // arg: segment
	evGrow                   // memory.grow
	evGlobalGet              // of a mutable v128; arg: global
	evGlobalSet              //
	evAgain                  // the next copy of an unrolled loop begins; flag: if the condition on top holds
)

// A slot is a value on the operand stack: its type in the low byte (0 where
// dead code leaves it open) and, for floats, where its bits come from above:
// fixed, made by arithmetic, or as the local with the given index has them.
type slot uint32

const (
	fixed slot = 0
	made  slot = 1 << 8
)

func asLocal(index uint32) slot      { return slot(index+2) << 8 }
func (s slot) valType() ValType      { return ValType(s) }
func (s slot) provenance() slot      { return s &^ 0xff }
func (s slot) local() (uint32, bool) { return uint32(s>>8) - 2, s >= 2<<8 }

// A frame is a block that is open.
type frame struct {
	op          byte
	unreachable bool // the rest of it is dead code: its stack has any type
	skipped     bool // it was opened in dead code: dead, but typed as if it were not
	height      int
	params      []ValType
	results     []ValType
}

func (f *frame) label() []ValType {
	if f.op == opLoop {
		return f.params
	}
	return f.results
}

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
	height    int // highest stack
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

// A touch is an open loop.
type touch struct {
	loop   uint32 // number in inner, and mark, less one
	locals []local
	full   bool // more than touchedMax: not worth knowing

	calls      bool // a call stands in it: no register is kept over all of it anyway
	dispatches bool // a br_table stands in it, and in no loop within
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
	v.locals = append(v.locals[:0], t.Params...)
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
		for range n {
			v.locals = append(v.locals, lt)
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
	w := uint32(frameSlots) + uint32(len(v.locals)) + uint32(v.height) + results + size/bodyBytesPerSlot
	for _, t := range v.locals {
		if t == V128 {
			w++
		}
	}
	if v.vectors {
		w += uint32(v.height)
	}
	return w
}

// resolve decides which locals may hold a NaN made by arithmetic, and drops the
// events of floats whose bits are fixed.
func (v *validator) resolve() {
	v.spread()
	for i := range v.events {
		e := &v.events[i]
		if e.kind != evCanon32 && e.kind != evCanon64 {
			continue
		}
		copysign, temporary := evCopysign64, needF64
		if e.kind == evCanon32 {
			copysign, temporary = evCopysign32, needF32
		}
		switch local, ok := slot(e.arg).local(); {
		case !ok || v.madeLocals[local]:
			v.needs |= temporary
		case e.flag:
			v.needs |= temporary
			e.kind = copysign
		default:
			e.kind = evNone
		}
	}
}

// spread follows the flows from locals that hold what arithmetic made.
func (v *validator) spread() {
	if len(v.flows) == 0 {
		return
	}
	slices.SortFunc(v.flows, func(a, b [2]uint32) int { return cmp.Compare(a[0], b[0]) })
	var todo []uint32
	for index, is := range v.madeLocals {
		if is {
			todo = append(todo, uint32(index))
		}
	}
	for len(todo) > 0 {
		from := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		i, _ := slices.BinarySearchFunc(v.flows, from, func(flow [2]uint32, from uint32) int { return cmp.Compare(flow[0], from) })
		for ; i < len(v.flows) && v.flows[i][0] == from; i++ {
			if to := v.flows[i][1]; !v.madeLocals[to] {
				v.madeLocals[to] = true
				todo = append(todo, to)
			}
		}
	}
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

func (v *validator) top() *frame { return &v.frames[len(v.frames)-1] }

func (v *validator) push(s slot) {
	v.stack = append(v.stack, s)
	if len(v.stack) > v.height {
		v.height = len(v.stack)
		if v.height > heightMax {
			refuse(v.pos, "more than %d operands on the stack", heightMax)
		}
	}
}

func (v *validator) popAny(at int) slot {
	f := v.top()
	if len(v.stack) == f.height {
		if !f.unreachable {
			refuse(at, "type mismatch: the stack is empty")
		}
		return 0
	}
	s := v.stack[len(v.stack)-1]
	v.stack = v.stack[:len(v.stack)-1]
	return s
}

func (v *validator) pop(at int, want ValType) slot {
	f := v.top()
	if n := len(v.stack) - 1; n >= f.height {
		s := v.stack[n]
		if t := s.valType(); t == want || t == 0 {
			v.stack = v.stack[:n]
			return s
		}
		refuse(at, "type mismatch: %v wanted, %v on the stack", want, s.valType())
	}
	if !f.unreachable {
		refuse(at, "type mismatch: %v wanted, the stack is empty", want)
	}
	return slot(want)
}

func (v *validator) popAll(at int, types []ValType) {
	for i := len(types) - 1; i >= 0; i-- {
		v.pop(at, types[i])
	}
}

// pushAll pushes values of unknown origin.
func (v *validator) pushAll(types []ValType, origin slot) {
	for _, t := range types {
		v.push(slot(t) | origin)
	}
}

func (v *validator) live() bool {
	f := v.top()
	return !f.unreachable && !f.skipped
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

// die makes the rest of the innermost block dead code.
func (v *validator) die() {
	f := v.top()
	f.unreachable = true
	v.stack = v.stack[:f.height]
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

func (v *validator) lanes(at int, kind eventKind, constant need, live bool) {
	if live {
		v.needs |= constant
		v.note(kind, at, 0, false)
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

func (v *validator) blockType(at int) (params, results []ValType) {
	if v.pos < v.end && v.b[v.pos]&0xc0 == 0x40 {
		b := v.b[v.pos]
		v.pos++
		if b == 0x40 {
			return nil, nil
		}
		if results, ok := singles[ValType(b)]; ok {
			return nil, results
		}
		refuse(at, "malformed block type 0x%02x", b)
	}
	t := v.signed(33)
	if t < 0 || t >= int64(len(v.p.types)) {
		refuse(at, "unknown type %d of a block", t)
	}
	return v.p.types[t].Params, v.p.types[t].Results
}

func (v *validator) open(at int, op byte, live bool) {
	if len(v.frames) > nestingMax {
		refuse(at, "blocks nested more than %d deep", nestingMax)
	}
	params, results := v.blockType(at)
	if op == opIf {
		v.charge(1)
		v.pop(at, I32)
	}
	v.popAll(at, params)
	if live {
		switch op {
		case opBlock:
			v.note(evBlock, at, 0, false)
		case opLoop:
			v.loops = true
			n := uint32(len(v.inner))
			v.note(evLoop, at, n, false)
			v.touching = append(v.touching, touch{loop: n})
			v.inner = append(v.inner, innards{})
		case opIf:
			v.note(evIf, at, 0, false)
		}
	}
	if op == opLoop {
		if v.loopDepth++; v.loopDepth > loopNestingMax {
			refuse(at, "loops nested more than %d deep", loopNestingMax)
		}
	}
	v.frames = append(v.frames, frame{op: op, skipped: !live, height: len(v.stack), params: params, results: results})
	v.pushAll(params, made)
}

func (v *validator) otherwise(at int) {
	f := v.top()
	if f.op != opIf {
		refuse(at, "else without an if")
	}
	v.popAll(at, f.results)
	if len(v.stack) != f.height {
		refuse(at, "type mismatch: values remain on the stack at the end of a block")
	}
	f.op = opElse
	f.unreachable = false
	if !f.skipped {
		v.note(evElse, at, 0, false)
	}
	v.pushAll(f.params, made)
}

func (v *validator) close(at int) {
	f := *v.top()
	v.popAll(at, f.results)
	if len(v.stack) != f.height {
		refuse(at, "type mismatch: values remain on the stack at the end of a block")
	}
	if f.op == opIf && !equalTypes(f.params, f.results) {
		refuse(at, "type mismatch: an if without else must return what it takes")
	}
	if !f.skipped {
		v.note(evEnd, at, 0, false)
	}
	if f.op == opLoop {
		v.loopDepth--
		if !f.skipped {
			v.closeLoop()
		}
	}
	v.frames = v.frames[:len(v.frames)-1]
	if len(v.frames) > 0 {
		v.pushAll(f.results, made)
	}
}

func equalTypes(a, b []ValType) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (v *validator) label(at int) (uint32, *frame) {
	depth := v.u32()
	return depth, v.frameAt(at, depth)
}

func (v *validator) frameAt(at int, depth uint32) *frame {
	if int64(depth) >= int64(len(v.frames)) {
		refuse(at, "unknown label %d", depth)
	}
	return &v.frames[len(v.frames)-1-int(depth)]
}

func (v *validator) branchTable(at int) {
	v.pop(at, I32)
	n := v.count("branch targets", branchTargetsMax)
	start := v.pos
	for range n {
		v.u32()
	}
	types := v.frameAt(at, v.u32()).label()
	end := v.pos
	v.pos = start
	for range n {
		_, f := v.label(at)
		other := f.label()
		if len(other) != len(types) {
			refuse(at, "type mismatch: branch targets of %d and of %d values", len(other), len(types))
		}
		if len(other) > 0 && &other[0] != &types[0] {
			v.peek(at, other)
		}
	}
	v.pos = end
	v.popAll(at, types)
}

// peek checks the top of the stack against types and leaves it.
func (v *validator) peek(at int, types []ValType) {
	f := v.top()
	for i := range types {
		n := len(v.stack) - len(types) + i
		if n < f.height {
			if !f.unreachable {
				refuse(at, "type mismatch: %d values wanted for a branch", len(types))
			}
			continue
		}
		if t := v.stack[n].valType(); t != 0 && t != types[i] {
			refuse(at, "type mismatch: %v wanted, %v on the stack", types[i], t)
		}
	}
}

func (v *validator) call(at int, live bool) {
	fn := v.u32()
	if int64(fn) >= int64(v.p.funcCount()) {
		refuse(at, "unknown function %d", fn)
	}
	t := v.p.typeOf(fn)
	v.popAll(at, t.Params)
	origin := made
	if int(fn) < len(v.p.imports) {
		v.charge(HostCallCost)
		origin = fixed // the host returns canonical NaNs
	} else {
		v.charge(costCall)
	}
	v.pushAll(t.Results, origin)
	if live {
		v.calling()
		v.note(evCall, at, fn, false)
	}
}

func (v *validator) callIndirect(at int, live bool) {
	v.charge(costCallIndirect)
	t := v.u32()
	if int64(t) >= int64(len(v.p.types)) {
		refuse(at, "unknown type %d", t)
	}
	if tab := v.table(at); tab.elem != FuncRef {
		refuse(at, "type mismatch: an indirect call through a table of %v", tab.elem)
	}
	v.pop(at, I32)
	v.popAll(at, v.p.types[t].Params)
	v.pushAll(v.p.types[t].Results, made)
	if live {
		v.calling()
		v.note(evCallIndirect, at, t, false)
	}
}

func (v *validator) table(at int) *table {
	index := v.u32()
	if int64(index) >= int64(len(v.p.tables)) {
		refuse(at, "unknown table %d", index)
	}
	return &v.p.tables[index]
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

// closeLoop settles what a loop touches: it is also touched by the loop around.
func (v *validator) closeLoop() {
	loop := v.touching[len(v.touching)-1]
	v.touching = v.touching[:len(v.touching)-1]
	inner := &v.inner[loop.loop]
	inner.calls = loop.calls
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

// join is where the bits of one of two floats come from.
func join(a, b slot) slot {
	pa, pb := a.provenance(), b.provenance()
	switch {
	case pa == pb || pb == fixed:
		return pa
	case pa == fixed:
		return pb
	}
	return made
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

// canon notes that the float on top, if arithmetic may have made it, must be
// canonical before the instruction just read; sign says that this is copysign.
func (v *validator) canon(at int, s slot, sign bool) {
	kind, copysign, temporary := evCanon64, evCopysign64, needF64
	switch s.valType() {
	case F32:
		kind, copysign, temporary = evCanon32, evCopysign32, needF32
	case F64:
	default:
		return
	}
	if s.provenance() != fixed {
		v.note(kind, at, uint32(s), sign)
	} else if sign {
		v.needs |= temporary
		v.note(copysign, at, 0, false)
	}
}

const reasonsMax = 20

func (v *validator) notImageable(at int, instruction, does string) {
	if len(v.imageable) < reasonsMax {
		v.imageable = append(v.imageable, Reason{Offset: at, Instruction: instruction, Function: v.fn, Text: does})
	}
}

func (v *validator) tableAccess(at int, op byte, live bool) {
	t := v.table(at).elem
	if op == opTableGet {
		v.pop(at, I32)
		v.push(slot(t))
		return
	}
	v.pop(at, t)
	v.pop(at, I32)
	if live {
		v.notImageable(at, "table.set", writesTable)
	}
}

const writesTable = "writes a table"

func (v *validator) memorySize(at int, op byte, live bool) {
	v.charge(1)
	v.memoryIndex(at)
	if op == opMemorySize {
		v.push(slot(I32))
		return
	}
	v.charge(costBulk)
	v.pop(at, I32)
	v.push(slot(I32))
	if live {
		v.note(evGrow, at, 0, false)
	}
}

func (v *validator) memoryIndex(at int) {
	if b := v.byte(); b != 0 {
		refuse(at, "zero byte expected: there is one memory")
	}
	if v.p.memory == nil {
		refuse(at, "unknown memory 0")
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

// length takes the length of a bulk instruction from the stack: known when
// the instruction before was its constant, and charged here then, unless it is
// so large that the limit must be looked at before.
func (v *validator) length(at int, unit uint32) (dynamic bool) {
	known := v.constEnd == at
	v.pop(at, I32)
	if known && v.constBits/unit <= bulkKnownMax {
		v.charge(v.constBits / unit)
		return false
	}
	v.needs |= needI32
	return true
}

func (v *validator) bulk(at int, live bool) {
	sub := v.u32()
	if sub < uint32(len(convertOps)) {
		v.plain(at, &convertOps[sub])
		return
	}
	v.charge(costBulk)
	switch sub {
	case opMemoryInit:
		segment := v.dataIndex(at)
		v.memoryIndex(at)
		dynamic := v.length(at, bulkBytes)
		v.pop(at, I32)
		v.pop(at, I32)
		if live {
			v.note(evMemoryInit, at, segment, dynamic)
		}
	case opDataDrop:
		segment := v.dataIndex(at)
		if live {
			v.note(evDataDrop, at, segment, false)
		}
	case opMemoryCopy, opMemoryFill:
		v.memoryIndex(at)
		if sub == opMemoryCopy {
			v.memoryIndex(at)
		}
		dynamic := v.length(at, bulkBytes)
		v.pop(at, I32)
		v.pop(at, I32)
		if live && dynamic {
			v.note(evBytes, at, 0, false)
		}
	case opTableInit:
		v.tableInit(at, live)
	case opElemDrop:
		segment := v.elemIndex(at)
		if live {
			v.note(evElemDrop, at, segment, false)
		}
	case opTableCopy:
		to := v.table(at)
		from := v.table(at)
		if to.elem != from.elem {
			refuse(at, "type mismatch: a copy from a table of %v to one of %v", from.elem, to.elem)
		}
		dynamic := v.length(at, 1)
		v.pop(at, I32)
		v.pop(at, I32)
		v.tableWrite(at, "table.copy", live, dynamic)
	case opTableGrow:
		t := v.table(at)
		dynamic := v.length(at, 1)
		v.pop(at, t.elem)
		v.push(slot(I32))
		v.tableWrite(at, "table.grow", live, dynamic)
	case opTableSize:
		v.table(at)
		v.push(slot(I32))
	case opTableFill:
		t := v.table(at)
		dynamic := v.length(at, 1)
		v.pop(at, t.elem)
		v.pop(at, I32)
		v.tableWrite(at, "table.fill", live, dynamic)
	default:
		refuse(at, "illegal opcode 0xfc %d", sub)
	}
}

func (v *validator) tableWrite(at int, instruction string, live, dynamic bool) {
	if !live {
		return
	}
	v.notImageable(at, instruction, writesTable)
	if dynamic {
		v.note(evEntries, at, 0, false)
	}
}

func (v *validator) tableInit(at int, live bool) {
	segment := v.elemIndex(at)
	if t, s := v.table(at), &v.p.elems[segment]; t.elem != s.elem {
		refuse(at, "type mismatch: a segment of %v for a table of %v", s.elem, t.elem)
	}
	dynamic := v.length(at, 1)
	v.pop(at, I32)
	v.pop(at, I32)
	if live {
		v.notImageable(at, "table.init", writesTable)
		v.note(evTableInit, at, segment, dynamic)
	}
}

func (v *validator) dataIndex(at int) uint32 {
	index := v.u32()
	if v.p.dataCount < 0 {
		refuse(at, "data count section required")
	}
	if int64(index) >= v.p.dataCount {
		refuse(at, "unknown data segment %d", index)
	}
	return index
}

func (v *validator) elemIndex(at int) uint32 {
	index := v.u32()
	if int64(index) >= int64(len(v.p.elems)) {
		refuse(at, "unknown elem segment %d", index)
	}
	return index
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
