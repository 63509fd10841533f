package wasmgen

import "math"

// body is a function being generated.
type body struct {
	*generator
	f      *Func
	nth    int
	labels []label // innermost last; the function's own first
	left   int     // nodes that may still be made
	depth  int
	temps  map[ValType]int64 // locals for moments
	vars   map[ValType][]int64
}

// label is where a branch may go to.
type label struct {
	types []ValType
	loop  bool
}

// pure are the instructions with operands and one result that only compute, by
// type of the result; loads and stores are those that touch memory.
var (
	pure   = map[ValType][]*Instr{}
	loads  = map[ValType][]*Instr{}
	stores []*Instr
	arith  = map[string]bool{} // SIMD that may make a NaN

	// bitwise are the instructions whose result is a float with the bits of an
	// operand.
	bitwise = map[string]bool{
		"f32.abs": true, "f32.neg": true, "f32.copysign": true, "f32.reinterpret_i32": true, "f32x4.extract_lane": true,
		"f64.abs": true, "f64.neg": true, "f64.copysign": true, "f64.reinterpret_i64": true, "f64x2.extract_lane": true,
	}
)

func init() {
	for i := range Instrs {
		in := &Instrs[i]
		switch {
		case !in.Fixed || in.Name == "memory.grow" || in.Name == "table.size":
		case len(in.Imm) > 0 && in.Imm[0] == 'm' && len(in.Results) == 1:
			loads[in.Results[0]] = append(loads[in.Results[0]], in)
		case len(in.Imm) > 0 && in.Imm[0] == 'm':
			stores = append(stores, in)
		case len(in.Results) == 1 && len(in.Params) > 0:
			pure[in.Results[0]] = append(pure[in.Results[0]], in)
		}
	}
	for _, shape := range []string{"f32x4.", "f64x2."} {
		for _, op := range []string{"ceil", "floor", "trunc", "nearest", "sqrt", "add", "sub", "mul", "div", "min", "max", "demote_f64x2_zero", "promote_low_f32x4"} {
			arith[shape+op] = true
		}
	}
}

func (b *body) op(name string, imm ...int64) { b.f.Op(name, imm...) }

// local is some variable of a type.
func (b *body) local(t ValType) int64 {
	if len(b.vars[t]) == 0 || len(b.vars[t]) < 3 && b.chance(150) {
		b.vars[t] = append(b.vars[t], b.f.Local(t))
	}
	return one(b.source, b.vars[t])
}

// temp is a local that is written and read at once.
func (b *body) temp(t ValType) int64 {
	if b.temps == nil {
		b.temps = map[ValType]int64{}
	}
	if _, ok := b.temps[t]; !ok {
		b.temps[t] = b.f.Local(t)
	}
	return b.temps[t]
}

// canonical makes the NaN on top of the stack canonical, where the option asks
// for it: its bits are about to be seen. For v128 the type says the lanes.
func (b *body) canonical(t ValType) {
	if b.o.Portable && !b.o.Raw && (t == F32 || t == F64) {
		b.mend(t)
	}
}

// quiet makes a NaN canonical that comes from elsewhere than arithmetic.
func (b *body) quiet(t ValType) {
	if b.o.Quiet && (t == F32 || t == F64) {
		b.mend(t)
	}
}

func (b *body) mend(t ValType) {
	v, bits := b.temp(t), int64(0x7fc00000)
	if t == F64 {
		bits = 0x7ff8000000000000
	}
	b.op("local.set", v)
	b.op("local.get", v)
	b.op(t.String()+".const", bits)
	b.op("local.get", v)
	b.op("local.get", v)
	b.op(t.String() + ".eq")
	b.op("select")
}

// canonicalLanes does the same for the lanes of a v128.
func (b *body) canonicalLanes(shape string) {
	if !b.o.Portable || b.o.Raw {
		return
	}
	v, bits := b.temp(V128), int64(0x7fc000007fc00000)
	if shape == "f64x2" {
		bits = 0x7ff8000000000000
	}
	b.op("local.set", v)
	b.op("local.get", v)
	b.op("v128.const", bits, bits)
	b.op("local.get", v)
	b.op("local.get", v)
	b.op(shape + ".eq")
	b.op("v128.bitselect")
}

func (b *body) exprs(types []ValType) {
	for _, t := range types {
		b.expr(t)
	}
}

// expr appends code that pushes a value.
func (b *body) expr(t ValType) {
	b.node(b.f, func() {
		b.left--
		b.depth++
		if b.left <= 0 || b.depth > b.o.Depth || b.chance(150) {
			b.leaf(t)
		} else {
			b.branchy(t)
		}
		b.depth--
	}, func() { zeros(b.f, []ValType{t}) })
}

func (b *body) leaf(t ValType) {
	switch b.n(4) {
	case 0:
		b.constant(b.f, t)
		b.quiet(t)
	case 1, 2:
		b.op("local.get", b.local(t))
	case 3:
		for range 4 {
			if v := one(b.source, b.globals); v.typ == t {
				b.op("global.get", v.index)
				b.quiet(t)
				return
			}
		}
		b.constant(b.f, t)
		b.quiet(t)
	}
}

func (b *body) branchy(t ValType) {
	if t == FuncRef || t == ExternRef {
		b.reference(t)
		return
	}
	switch n := b.n(100); {
	case n < 50:
		b.compute(t)
	case n < 62:
		b.load(t)
	case n < 66:
		b.expr(t)
		b.op("local.tee", b.local(t))
	case n < 72:
		b.expr(t)
		b.expr(t)
		b.expr(I32)
		if b.chance(300) {
			b.op("select_t", int64(t))
		} else {
			b.op("select")
		}
	case n < 80:
		b.blockValue(t)
	case n < 86:
		b.callValue(t)
	case n < 89:
		b.brIfValue(t)
	case n < 95 && t == I32:
		b.question()
	default:
		b.compute(t)
	}
}

// compute applies an instruction that only computes.
func (b *body) compute(t ValType) {
	if (t == F32 || t == F64) && b.chance(70) {
		b.nan(t)
		return
	}
	in := one(b.source, pure[t])
	for i, p := range in.Params {
		b.expr(p)
		seen := in.Name == "i32.reinterpret_f32" || in.Name == "i64.reinterpret_f64" || in.Results[0] == V128 ||
			i == 1 && (in.Name == "f32.copysign" || in.Name == "f64.copysign")
		if seen {
			b.canonical(p)
		}
		b.guard(in, i)
	}
	b.op(in.Name, b.lanes(in)...)
	if bitwise[in.Name] {
		b.quiet(t)
	}
	if arith[in.Name] {
		b.canonicalLanes(in.Name[:5])
	}
}

// nan pushes a NaN that arithmetic makes out of anything.
func (b *body) nan(t ValType) {
	b.expr(t)
	infinity := int64(0x7f800000)
	if t == F64 {
		infinity = 0x7ff0000000000000
	}
	b.op(t.String()+".const", infinity)
	b.op(t.String() + ".mul")
	b.op(t.String() + ".const")
	b.op(t.String() + ".mul")
}

// guard keeps most operands from trapping.
func (b *body) guard(in *Instr, operand int) {
	if b.chance(b.o.Traps) {
		return
	}
	switch in.Name {
	case "i32.div_s", "i32.div_u", "i32.rem_s", "i32.rem_u", "i64.div_s", "i64.div_u", "i64.rem_s", "i64.rem_u":
		t := in.Params[0].String()
		if operand == 1 {
			b.op(t+".const", 1)
			b.op(t + ".or")
		} else if in.Name[4:] == "div_s" { // the least number over -1 overflows
			b.op(t+".const", 1)
			b.op(t + ".shr_u")
		}
	case "i32.trunc_f32_s", "i32.trunc_f32_u", "i64.trunc_f32_s", "i64.trunc_f32_u":
		b.clamp(F32, int64(math.Float32bits(-0.75)), int64(math.Float32bits(2147483520)))
	case "i32.trunc_f64_s", "i32.trunc_f64_u", "i64.trunc_f64_s", "i64.trunc_f64_u":
		b.clamp(F64, int64(math.Float64bits(-0.75)), int64(math.Float64bits(2147483647.5)))
	}
}

// clamp makes the float on top of the stack a number between two others.
func (b *body) clamp(t ValType, low, high int64) {
	v := b.temp(t)
	b.op("local.set", v)
	b.op(t.String()+".const", low)
	b.op(t.String()+".const", high)
	b.op("local.get", v)
	b.op(t.String() + ".const")
	b.op("local.get", v)
	b.op("local.get", v)
	b.op(t.String() + ".eq")
	b.op("select")
	b.op(t.String() + ".min")
	b.op(t.String() + ".max")
}

// lanes are the immediates of an instruction that only computes.
func (b *body) lanes(in *Instr) []int64 {
	switch in.Imm {
	case "n":
		return []int64{int64(b.n(in.Lanes))}
	case "w":
		lanes := make([]int64, 16)
		for i := range lanes {
			lanes[i] = int64(b.n(32))
		}
		return lanes
	}
	return nil
}

// address pushes an address for an access, and returns immediates for it.
func (b *body) address(in *Instr) []int64 {
	offset := int64(b.n(40))
	align := int64(b.n(int(in.Natural) + 1))
	switch {
	case b.chance(b.o.Traps):
		b.expr(I32)
		if b.chance(300) {
			offset = int64(one(b.source, []uint32{0xffffffff, 0x80000000, 0x7fffffff, 0xfffffff8, 0x10000}))
		}
	case b.chance(80):
		b.op("i32.const", int64(b.n(0x1000)))
		offset = int64(b.n(0x8000))
	case b.chance(20): // the last bytes, or just over them
		b.op("memory.size")
		b.op("i32.const", 16)
		b.op("i32.shl")
		b.op("i32.const", int64(1<<in.Natural))
		b.op("i32.sub")
		if offset = 0; b.chance(50) {
			offset = 1
		}
	default:
		b.expr(I32)
		b.op("i32.const", int64(one(b.source, []int{0x7ff8, 0xff, 0x3fff, 0x1ff0, 0xf000})))
		b.op("i32.and")
	}
	imm := []int64{offset, align}
	if in.Lanes > 0 {
		imm = append(imm, int64(b.n(in.Lanes)))
	}
	return imm
}

// touches reports whether an access to memory is possible, or a trap wanted.
func (b *body) touches() bool { return b.memory > 0 || b.memory == 0 && b.chance(b.o.Traps) }

func (b *body) load(t ValType) {
	if !b.touches() {
		b.compute(t)
		return
	}
	in := one(b.source, loads[t])
	imm := b.address(in)
	if len(in.Params) == 2 {
		b.expr(V128)
	}
	b.op(in.Name, imm...)
	b.quiet(t)
}

func (b *body) store() {
	if !b.touches() {
		return
	}
	in := one(b.source, stores)
	imm := b.address(in)
	b.expr(in.Params[1])
	b.canonical(in.Params[1])
	b.op(in.Name, imm...)
}

// move loads a float and stores it again, which keeps its bits.
func (b *body) move() {
	if !b.touches() {
		return
	}
	t := one(b.source, []string{"f32", "f64"})
	to := b.address(byName[t+".store"])
	from := b.address(byName[t+".load"])
	b.op(t+".load", from...)
	b.op(t+".store", to...)
}

// question pushes an i32 about something other than numbers.
func (b *body) question() {
	t := one(b.source, b.tables)
	switch b.n(6) {
	case 0:
		b.expr(one(b.source, Types(FuncRef, ExternRef)))
		b.op("ref.is_null")
	case 1:
		b.op("table.size", t.index)
	case 2:
		if b.memory < 0 {
			b.constant(b.f, I32)
			return
		}
		b.op("memory.size")
	case 3:
		if b.memory < 0 {
			b.constant(b.f, I32)
			return
		}
		if b.chance(100) {
			b.op("i32.const", one(b.source, []int64{-1, 0x10000, 0x8000, 0x7fffffff, pagesMost + 1}))
		} else {
			b.expr(I32)
			b.op("i32.const", int64(b.n(4)))
			b.op("i32.and")
		}
		b.op("memory.grow")
	case 4:
		if b.o.Imageable {
			b.op("table.size", t.index)
			return
		}
		b.expr(t.typ)
		if b.chance(100) {
			b.op("i32.const", one(b.source, []int64{-1, 0x10000, entriesMost + 1, 0x7fffffff}))
		} else {
			b.expr(I32)
			b.op("i32.const", int64(b.n(32)))
			b.op("i32.and")
		}
		b.op("table.grow", t.index)
	case 5:
		b.expr(V128)
		b.op("v128.any_true")
	}
}

func (b *body) reference(t ValType) {
	switch b.n(6) {
	case 0:
		if t == FuncRef {
			b.op("ref.func", int64(b.anyFunc()))
			return
		}
		b.op("ref.null", int64(t))
	case 1:
		b.op("ref.null", int64(t))
	case 2, 3:
		for range 3 {
			if tb := one(b.source, b.tables); tb.typ == t && (tb.min > 0 || b.chance(b.o.Traps)) {
				b.entry(tb, 1)
				b.op("table.get", tb.index)
				return
			}
		}
		b.op("ref.null", int64(t))
	case 4:
		b.expr(t)
		b.expr(t)
		b.expr(I32)
		b.op("select_t", int64(t))
	case 5:
		b.blockValue(t)
	}
}

// entry pushes an index that leaves room for n entries in a table, mostly.
func (b *body) entry(t tab, n int) {
	b.expr(I32)
	if room := t.min - n; room >= 0 && !b.chance(b.o.Traps) {
		b.op("i32.const", int64(room+1))
		b.op("i32.rem_u")
	}
}

func (g *generator) int32() int32 {
	switch g.n(4) {
	case 0:
		return int32(g.n(16))
	case 1:
		return one(g.source, []int32{0, -1, 1, math.MaxInt32, math.MinInt32, 0xff, 0x80, 0xffff, 0x8000, 31, 32, 0x7fc00000, 0x7fa00001, -0x400000, 65536})
	case 2:
		return 1 << g.n(31)
	default:
		return int32(g.word())
	}
}

func (g *generator) int64() int64 {
	switch g.n(4) {
	case 0:
		return int64(g.int32())
	case 1:
		return one(g.source, []int64{0, -1, 1, math.MaxInt64, math.MinInt64, 0x7ff8000000000000, 0x7ff4000000000001, 1 << 32, 0xffffffff, 63, 64})
	case 2:
		return 1 << g.n(63)
	default:
		return int64(g.word())
	}
}

var (
	floats32 = []uint32{0, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc00000, 0x7fa00001, 0x7fffffff,
		1, 0x7fffff, 0x800000, 0x7f7fffff, 0x4f000000, 0x4effffff, 0xcf000000, 0x4f800000, 0x5f000000, 0xdf000000, 0x5f800000, 0x3f000000, 0x3fc00000, 0x40200000}
	floats64 = []uint64{0, 1 << 63, 0x3ff0000000000000, 0xbff0000000000000, 0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000000,
		0xfff8000000000000, 0x7ff4000000000001, 0x7fffffffffffffff, 1, 0xfffffffffffff, 0x10000000000000, 0x7fefffffffffffff, 0x41e0000000000000,
		0xc1e0000000000000, 0x41f0000000000000, 0x43e0000000000000, 0xc3e0000000000000, 0x43f0000000000000, 0x3fe0000000000000, 0x36a0000000000000, 0x47efffffe0000000}
)

func (g *generator) float32() uint32 {
	switch g.n(3) {
	case 0:
		return one(g.source, floats32)
	case 1:
		return math.Float32bits(float32(g.n(1000)-500) / 8)
	default:
		return uint32(g.word())
	}
}

func (g *generator) float64() uint64 {
	switch g.n(3) {
	case 0:
		return one(g.source, floats64)
	case 1:
		return math.Float64bits(float64(g.n(100000)-50000) / 64)
	default:
		return g.word()
	}
}

// constant appends a constant.
func (g *generator) constant(f *Func, t ValType) {
	switch t {
	case I32:
		f.Op("i32.const", int64(g.int32()))
	case I64:
		f.Op("i64.const", g.int64())
	case F32:
		f.Op("f32.const", int64(g.float32()))
	case F64:
		f.Op("f64.const", int64(g.float64()))
	case V128:
		var halves [2]int64
		for i := range halves {
			switch g.n(3) {
			case 0:
				halves[i] = g.int64()
			case 1:
				halves[i] = int64(g.float64())
			default:
				halves[i] = int64(g.float32()) | int64(g.float32())<<32
			}
		}
		f.Op("v128.const", halves[0], halves[1])
	default:
		f.Op("ref.null", int64(t))
	}
}
