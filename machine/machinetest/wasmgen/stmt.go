package wasmgen

import (
	"slices"
	"strings"
)

// fill generates the code of a function.
func (g *generator) fill(f function, nth int) {
	b := &body{generator: g, f: f.Func, nth: nth, left: g.between(1, 2*g.o.Nodes), vars: map[ValType][]int64{}}
	b.labels = []label{{types: f.Results}}
	for i, t := range f.Params {
		b.vars[t] = append(b.vars[t], int64(i))
	}
	for range g.n(6) {
		t := one(g.source, values)
		b.vars[t] = append(b.vars[t], f.Local(t))
	}
	if g.o.Bounded {
		b.tick()
		b.op("i32.eqz")
		b.op("if")
		zeros(f.Func, f.Results)
		b.op("return")
		b.op("end")
	}
	if g.chance(40) { // as good as empty
		zeros(f.Func, f.Results)
		return
	}
	if g.o.Hostile && g.chance(150) {
		b.manyLocals()
	}
	for range 40 {
		b.statement()
		if b.left <= 0 {
			break
		}
	}
	b.finish(f.Results)
}

// tick takes one from the budget and pushes whether there is any left.
func (b *body) tick() {
	b.op("global.get", b.budget)
	b.op("i32.const", 1)
	b.op("i32.sub")
	b.op("global.set", b.budget)
	b.op("global.get", b.budget)
	b.op("i32.const", 0)
	b.op("i32.gt_s")
}

func (b *body) statements(most int) {
	for range b.n(most + 1) {
		if b.left > 0 {
			b.statement()
		}
	}
}

// statement appends code that leaves the stack as it was.
func (b *body) statement() {
	b.node(b.f, func() {
		b.left--
		b.depth++
		if b.depth > b.o.Depth {
			b.simple()
		} else {
			b.compound()
		}
		b.depth--
	}, func() {})
}

func (b *body) simple() {
	switch n := b.n(100); {
	case n < 25:
		t := one(b.source, plain)
		b.expr(t)
		b.op("local.set", b.local(t))
	case n < 40:
		b.setGlobal()
	case n < 62:
		b.store()
	case n < 66:
		b.move()
	case n < 76:
		b.hostCall()
	case n < 82:
		b.bulk()
	case n < 90:
		b.tableOp()
	case n < 95:
		b.expr(one(b.source, values))
		b.op("drop")
	case n < 97:
		b.op("nop")
	default:
		b.brIf()
	}
}

func (b *body) compound() {
	switch n := b.n(100); {
	case n < 35:
		b.simple()
	case n < 43:
		b.call()
	case n < 51:
		b.callIndirect()
	case n < 61:
		b.ifElse()
	case n < 68:
		b.block(nil, nil)
	case n < 80:
		b.loop(b.someTypes(), nil)
	case n < 84:
		b.multi()
	case n < 88:
		b.smallLoop()
	case n < 91:
		b.switchTable()
	case n < 94:
		b.brIf()
	case n < 98:
		b.expr(I32)
		b.op("if")
		b.push(nil, false)
		b.terminator(nil)
		b.pop()
	case b.o.Hostile:
		b.hostile()
	case !b.o.Bounded && b.chance(60):
		b.forever()
	default:
		b.simple()
	}
}

// someTypes are a few types, for the parameters or results of a block.
func (b *body) someTypes() []ValType {
	if b.chance(600) {
		return nil
	}
	var types []ValType
	for range b.n(4) {
		types = append(types, one(b.source, values))
	}
	return types
}

// blockType is the immediate of a block with parameters and results.
func (b *body) blockType(params, results []ValType) int64 {
	if len(params) == 0 && len(results) < 2 && !b.chance(100) {
		if len(results) == 0 {
			return Void
		}
		return BlockType(results[0])
	}
	return int64(b.m.Type(params, results))
}

func (b *body) push(types []ValType, loop bool) {
	b.labels = append(b.labels, label{types, loop})
}

func (b *body) pop() {
	b.labels = b.labels[:len(b.labels)-1]
	b.op("end")
}

// take moves values from the stack to variables, or drops them.
func (b *body) take(types []ValType) {
	for _, t := range slices.Backward(types) {
		if b.chance(600) {
			b.op("local.set", b.local(t))
		} else {
			b.op("drop")
		}
	}
}

// finish ends a block or function: it leaves its results on the stack, or goes
// elsewhere and leaves dead code.
func (b *body) finish(results []ValType) {
	if b.chance(80) {
		b.terminator(results)
		return
	}
	b.exprs(results)
}

// block appends a block whose parameters are on the stack.
func (b *body) block(params, results []ValType) {
	b.op("block", b.blockType(params, results))
	b.push(results, false)
	if len(params) > 0 && slices.Equal(params, results) && b.chance(400) {
		b.statements(3) // above the parameters, which are the results
	} else {
		b.take(params)
		b.statements(4)
		b.finish(results)
	}
	b.pop()
}

func (b *body) ifElse() {
	params, results := b.someTypes(), b.someTypes()
	b.exprs(params)
	b.expr(I32)
	b.op("if", b.blockType(params, results))
	b.push(results, false)
	b.take(params)
	b.statements(3)
	b.finish(results)
	if len(results) > 0 || len(params) > 0 || b.chance(500) {
		b.op("else")
		b.take(params)
		b.statements(3)
		b.finish(results)
	}
	b.pop()
	b.take(results)
}

// multi is a block or loop that takes and gives several values.
func (b *body) multi() {
	params := []ValType{one(b.source, plain), one(b.source, plain)}
	b.exprs(params)
	if b.chance(500) {
		b.block(params, params)
	} else {
		b.block(params, []ValType{params[1], params[0], I32})
		b.op("drop")
		params = []ValType{params[1], params[0]}
	}
	b.take(params)
}

// loop appends a loop that goes round a counted number of times, if nothing in
// it leaves earlier or branches back.
func (b *body) loop(params, results []ValType) {
	counter := b.f.Local(I32) // no variable: nothing else writes it
	b.op("i32.const", int64(b.n(8)))
	b.op("local.set", counter)
	b.exprs(params)
	b.op("loop", b.blockType(params, results))
	b.push(params, true)
	b.take(params)
	b.statements(4)
	b.exprs(params)
	b.op("local.get", counter)
	b.op("i32.const", 1)
	b.op("i32.sub")
	b.op("local.tee", counter)
	b.op("i32.const", 0)
	b.op("i32.gt_s")
	b.ticked()
	b.op("br_if", 0)
	b.take(params)
	b.finish(results)
	b.pop()
}

// smallLoop is a loop with little in it, of the two forms that compilers write:
// the condition at the end, or a way out at the start.
func (b *body) smallLoop() {
	counter := b.f.Local(I32)
	b.op("i32.const", int64(b.between(1, 30)))
	b.op("local.set", counter)
	atStart := b.chance(400)
	if atStart {
		b.op("block")
		b.push(nil, false)
	}
	b.op("loop")
	b.push(nil, true)
	if atStart {
		b.op("local.get", counter)
		b.op("i32.eqz")
		b.op("br_if", 1)
	}
	depth := b.depth
	b.depth = max(depth, b.o.Depth-2) // what is in it stays small
	for range b.n(4) {
		switch b.n(6) {
		case 0, 1:
			t := one(b.source, plain)
			b.expr(t)
			b.op("local.set", b.local(t))
		case 2:
			b.store()
		case 3:
			b.setGlobal()
		case 4:
			b.move()
		case 5:
			if depth, l := b.target(false); len(l.types) == 0 {
				b.expr(I32)
				b.op("br_if", depth)
			}
		}
	}
	b.depth = depth
	b.op("local.get", counter)
	b.op("i32.const", 1)
	b.op("i32.sub")
	if atStart {
		b.op("local.set", counter)
		b.op("br", 0)
		b.pop()
	} else {
		b.op("local.tee", counter)
		b.op("br_if", 0)
	}
	b.pop()
}

// ticked makes a condition to go back false when the budget is used up.
func (b *body) ticked() {
	if b.o.Bounded {
		b.tick()
		b.op("i32.and")
	}
}

// forever is a loop without end, and code after it.
func (b *body) forever() {
	b.op("loop")
	b.push(nil, true)
	b.statements(2)
	b.op("br", 0)
	b.dead(nil)
	b.pop()
}

// target is a label to branch to, innermost 0. A loop is one only if the
// branch back can be bounded.
func (b *body) target(loops bool) (int64, label) {
	depth := b.n(len(b.labels))
	if b.chance(300) {
		depth = min(depth, 1)
	}
	l := b.labels[len(b.labels)-1-depth]
	if l.loop && !loops || len(l.types) > 4 {
		depth = len(b.labels) - 1
		l = b.labels[0]
	}
	return int64(depth), l
}

func (b *body) brIf() {
	depth, l := b.target(true)
	b.exprs(l.types)
	b.expr(I32)
	if l.loop {
		b.ticked()
	}
	b.op("br_if", depth)
	b.take(l.types)
}

// brIfValue is a value that a branch may carry out of a block.
func (b *body) brIfValue(t ValType) {
	b.expr(t)
	depth, l := b.target(false)
	if !slices.Equal(l.types, []ValType{t}) {
		return
	}
	b.expr(I32)
	b.op("br_if", depth)
}

// terminator leaves the block, and appends dead code that gives its results.
func (b *body) terminator(results []ValType) {
	switch n := b.n(10); {
	case n < 4:
		depth, l := b.target(!b.o.Bounded && b.chance(50))
		b.exprs(l.types)
		b.op("br", depth)
	case n < 6:
		b.exprs(b.labels[0].types)
		b.op("return")
	case n < 9:
		b.brTable()
	case b.chance(10 * b.o.Traps):
		b.op("unreachable")
	default:
		b.exprs(b.labels[0].types)
		b.op("return")
	}
	b.dead(results)
}

func (b *body) brTable() {
	depth, l := b.target(false)
	var same []int64
	for i, other := range b.labels {
		if !other.loop && slices.Equal(other.types, l.types) {
			same = append(same, int64(len(b.labels)-1-i))
		}
	}
	n := b.n(7)
	if b.o.Hostile && b.chance(50) {
		n = one(b.source, []int{255, 256, 2000})
	}
	b.exprs(l.types)
	b.expr(I32)
	if b.chance(700) {
		b.op("i32.const", int64(n+1))
		b.op("i32.rem_u")
	}
	var targets []int64
	for range n {
		targets = append(targets, one(b.source, same))
	}
	b.op("br_table", append(targets, depth)...)
}

// switchTable is what a compiler makes of a switch: nested blocks, left by a
// br_table.
func (b *body) switchTable() {
	cases := b.between(1, 5)
	for range cases + 1 {
		b.op("block")
		b.push(nil, false)
	}
	b.expr(I32)
	b.op("i32.const", 7)
	b.op("i32.and")
	var targets []int64
	for range b.n(8) {
		targets = append(targets, int64(b.n(cases+1)))
	}
	b.op("br_table", append(targets, int64(b.n(cases+1)))...)
	b.dead(nil)
	for i := range cases {
		b.pop()
		b.statements(2)
		if b.chance(700) {
			b.op("br", int64(cases-1-i))
		}
	}
	b.pop()
}

// blockValue is a value that a block, a loop or both arms of an if give.
func (b *body) blockValue(t ValType) {
	params := b.someTypes()
	results := []ValType{t}
	if b.chance(200) {
		results = append(results, one(b.source, values))
	}
	switch b.n(3) {
	case 0:
		b.exprs(params)
		b.block(params, results)
	case 1:
		b.loop(params, results)
	case 2:
		b.expr(I32)
		b.op("if", b.blockType(nil, results))
		b.push(results, false)
		b.statements(2)
		b.finish(results)
		b.op("else")
		b.statements(2)
		b.finish(results)
		b.pop()
	}
	for range len(results) - 1 {
		b.op("drop")
	}
}

func (b *body) setGlobal() {
	v := one(b.source, b.globals)
	if !v.mutable {
		return
	}
	b.expr(v.typ)
	b.canonical(v.typ)
	b.op("global.set", v.index)
}

// callee is a function to call: one that follows in the module, so that calls
// come to an end, unless the budget bounds them or it is to be a recursion.
func (b *body) callee() (uint32, []ValType, []ValType) {
	from := b.nth + 1
	if b.o.Bounded || b.chance(30) {
		from = 0
	}
	if from >= len(b.funcs) || b.chance(100) {
		n := b.n(len(b.imports))
		return uint32(n), b.imports[n].Params, b.imports[n].Results
	}
	f := b.funcs[b.between(from, len(b.funcs)-1)]
	return f.Index, f.Params, f.Results
}

func (b *body) call() {
	index, params, results := b.callee()
	b.exprs(params)
	b.op("call", int64(index))
	b.take(results)
}

func (b *body) hostCall() {
	n := b.n(len(b.imports))
	im := b.imports[n]
	if im.Name == "exit" && !b.chance(50) {
		return
	}
	b.exprs(im.Params)
	b.op("call", int64(n))
	b.take(im.Results)
}

// callValue is the first result of a call.
func (b *body) callValue(t ValType) {
	for range 4 {
		index, params, results := b.callee()
		if len(results) > 0 && results[0] == t {
			b.exprs(params)
			b.op("call", int64(index))
			for range len(results) - 1 {
				b.op("drop")
			}
			return
		}
	}
	b.compute(t)
}

func (b *body) callIndirect() {
	if len(b.slots) > 0 && !b.chance(5*b.o.Traps) {
		s := one(b.source, b.slots)
		for range 5 { // look for one that comes after this function
			if int(s.fn) >= len(b.imports)+b.nth+1 || b.o.Bounded {
				break
			}
			s = one(b.source, b.slots)
		}
		params, results := b.signatureOf(s.fn)
		b.exprs(params)
		b.op("i32.const", s.at)
		b.op("call_indirect", int64(b.m.Type(params, results)), s.table)
		b.take(results)
		return
	}
	t := one(b.source, b.tables)
	if t.typ != FuncRef {
		return
	}
	if !b.chance(20 * b.o.Traps) {
		return
	}
	params, results := b.signatureOf(b.anyFunc())
	if b.chance(100) {
		params, results = b.someTypes(), b.someTypes()
	}
	b.exprs(params)
	b.entry(t, 1)
	b.op("call_indirect", int64(b.m.Type(params, results)), t.index)
	b.take(results)
}

func (g *generator) signatureOf(fn uint32) (params, results []ValType) {
	if int(fn) < len(g.imports) {
		return g.imports[fn].Params, g.imports[fn].Results
	}
	f := g.funcs[int(fn)-len(g.imports)]
	return f.Params, f.Results
}

// span pushes an address and appends what keeps size bytes after it inside.
func (b *body) span() {
	b.expr(I32)
	if !b.chance(b.o.Traps) {
		b.op("i32.const", 0x7fff)
		b.op("i32.and")
	}
}

func (b *body) length() {
	b.expr(I32)
	if !b.chance(b.o.Traps) {
		b.op("i32.const", int64(one(b.source, []int{0xff, 0x0f, 0x3fff})))
		b.op("i32.and")
	}
}

func (b *body) bulk() {
	switch b.n(4) {
	case 0:
		if b.touches() {
			b.span()
			b.expr(I32)
			b.length()
			b.op("memory.fill")
		}
	case 1:
		if b.touches() {
			b.span()
			b.span()
			b.length()
			b.op("memory.copy")
		}
	case 2:
		if len(b.datas) == 0 || !b.touches() {
			return
		}
		s := one(b.source, b.datas)
		if s.active && (b.o.Portable || !b.chance(30)) {
			return
		}
		b.span()
		b.part(s.size)
		b.op("memory.init", s.index)
	case 3:
		if len(b.datas) > 0 && b.chance(30) {
			b.op("data.drop", one(b.source, b.datas).index)
		}
	}
}

// part pushes the source and length of a part of something.
func (b *body) part(size int) {
	from := b.n(size + 1)
	if b.chance(b.o.Traps) {
		from += 3
	}
	b.op("i32.const", int64(from))
	b.expr(I32)
	if !b.chance(b.o.Traps) {
		b.op("i32.const", int64(max(1, size-from+1)))
		b.op("i32.rem_u")
	}
}

func (b *body) tableOp() {
	if b.o.Imageable {
		return
	}
	t := one(b.source, b.tables)
	if t.min < 4 && !b.chance(b.o.Traps) {
		return
	}
	switch b.n(5) {
	case 0:
		b.entry(t, 1)
		b.expr(t.typ)
		b.op("table.set", t.index)
	case 1:
		b.entry(t, 4)
		b.expr(t.typ)
		b.op("i32.const", int64(b.n(5)))
		b.op("table.fill", t.index)
	case 2:
		from := one(b.source, b.tables)
		if from.typ != t.typ || from.min < 4 {
			return
		}
		b.entry(t, 4)
		b.entry(from, 4)
		b.op("i32.const", int64(b.n(5)))
		b.op("table.copy", t.index, from.index)
	case 3:
		s := one(b.source, b.elems)
		if s.typ != t.typ || s.active && !b.chance(30) || s.size > t.min {
			return
		}
		b.entry(t, s.size)
		b.part(s.size)
		b.op("table.init", s.index, t.index)
	case 4:
		if b.chance(100) {
			b.op("elem.drop", one(b.source, b.elems).index)
		}
	}
}

func (b *body) manyLocals() {
	most := 2000
	if b.o.Bounded {
		most = 200 // so that the budget ends a recursion before the depth limit
	}
	for range b.between(50, most) {
		t := one(b.source, values)
		b.vars[t] = append(b.vars[t], b.f.Local(t))
	}
}

// hostile appends one of the shapes that are hard on compilers.
func (b *body) hostile() {
	n := one(b.source, []int{30, 100, 300, 700})
	switch b.n(5) {
	case 0: // deep nesting
		b.expr(I32)
		v := b.temp(I32)
		b.op("local.set", v)
		b.op("block")
		for range n - 1 {
			b.op(one(b.source, []string{"block", "loop"}))
		}
		b.op("local.get", v)
		b.op("br_if", int64(n-1))
		for range n {
			b.op("end")
		}
	case 1: // a tall operand stack
		n = min(n, 300)
		for range n {
			b.op("local.get", b.local(I64))
		}
		for range n - 1 {
			b.op(one(b.source, []string{"i64.add", "i64.xor", "i64.sub"}))
		}
		b.op("local.set", b.local(I64))
	case 2: // ifs in conditions of ifs
		b.expr(I32)
		for range n / 10 {
			b.op("if", BlockType(I32))
			b.op("local.get", b.local(I32))
			b.op("else")
			b.op("local.get", b.local(I32))
			b.op("end")
		}
		b.op("local.set", b.local(I32))
	case 3: // a wide switch
		for range 4 {
			b.op("block")
			b.push(nil, false)
		}
		b.expr(I32)
		var targets []int64
		for range n * 4 {
			targets = append(targets, int64(b.n(4)))
		}
		b.op("br_table", targets...)
		for range 4 {
			b.pop()
			b.op("local.get", b.local(I32))
			b.op("i32.const", 3)
			b.op("i32.add")
			b.op("local.set", b.local(I32))
		}
	case 4: // blocks in dead code
		b.op("block")
		b.op("br", 0)
		for range n {
			switch b.n(3) {
			case 0:
				b.op("i32.const", 1)
				b.op("if")
			case 1:
				b.op("loop")
			default:
				b.op("block")
			}
		}
		for range n {
			b.op("end")
		}
		b.op("end")
	}
}

// dead appends code that is never reached, where the operand stack is
// polymorphic, and then leaves results or a part of them.
func (b *body) dead(results []ValType) {
	if b.chance(400) {
		return
	}
	var known []ValType
	// fits pops types off what is known to be on the stack.
	fits := func(types []ValType) bool {
		left := known
		for _, t := range slices.Backward(types) {
			if len(left) == 0 {
				break
			}
			if left[len(left)-1] != t {
				return false
			}
			left = left[:len(left)-1]
		}
		known = left
		return true
	}
	for range b.between(1, 8) {
		switch b.n(12) {
		case 0:
			b.op("drop")
			known = known[:max(0, len(known)-1)]
		case 1:
			t := one(b.source, values)
			if fits([]ValType{t}) {
				b.op("local.tee", b.local(t))
				known = append(known, t)
			}
		case 2:
			if l := b.labels[len(b.labels)-1]; fits(append(slices.Clone(l.types), I32)) {
				b.op("br_if", 0)
				known = append(known, l.types...)
			}
		case 3:
			index, params, res := b.callee()
			if fits(params) {
				b.op("call", int64(index))
				known = append(known, res...)
			}
		case 4:
			b.op("unreachable")
			known = nil
		case 5:
			if l := b.labels[0]; fits(l.types) {
				b.op("return")
				known = nil
			}
		case 6:
			params, res := b.someTypes(), b.someTypes()
			if fits(params) {
				b.block(params, res)
				known = append(known, res...)
			}
		case 7:
			if fits([]ValType{I32}) {
				b.op("if")
				b.push(nil, false)
				b.statements(1)
				b.op("else")
				b.op("unreachable")
				b.pop()
			}
		case 8:
			if t := one(b.source, plain); fits([]ValType{t, t, I32}) {
				b.op("select")
				b.op("drop") // its type may be unknown
			}
		default:
			in := &Instrs[b.n(len(Instrs))]
			if b.deadOp(in) && fits(in.Params) {
				b.op(in.Name, b.lanes(in)...)
				known = append(known, in.Results...)
			}
		}
	}
	b.op("unreachable")
	zeros(b.f, results[b.n(len(results)+1):])
}

// deadOp reports whether an instruction can stand in dead code with immediates
// that are zero.
func (b *body) deadOp(in *Instr) bool {
	if !in.Fixed {
		return false
	}
	if strings.HasPrefix(in.Name, "memory.") || strings.HasPrefix(in.Imm, "m") {
		return b.memory >= 0 && in.Name != "memory.init"
	}
	return in.Imm == "" || in.Imm == "n" || in.Imm == "w" || strings.HasSuffix(in.Name, ".const")
}
