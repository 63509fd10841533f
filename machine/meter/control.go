package meter

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

func (v *validator) top() *frame { return &v.frames[len(v.frames)-1] }

func (v *validator) live() bool {
	f := v.top()
	return !f.unreachable && !f.skipped
}

// die makes the rest of the innermost block dead code.
func (v *validator) die() {
	f := v.top()
	f.unreachable = true
	v.stack = v.stack[:f.height]
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
