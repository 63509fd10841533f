package wasmgen

import (
	"fmt"
	"slices"
)

// Options shape generated modules. The zero value stands for Defaults.
type Options struct {
	Functions int // at most so many functions
	Nodes     int // about so many expressions and statements in a function
	Depth     int // expressions and blocks nest at most so deep

	// Bounded makes every export come to an end by itself: loops and calls use
	// up a budget that the export sets. Otherwise a module may loop or recurse
	// without end, and has to be stopped by fuel.
	Bounded bool
	// Portable leaves out what engines do differently when nothing is rewritten:
	// the module itself makes a NaN of arithmetic canonical wherever its bits
	// can be seen, it does not read active data segments, its active element segments
	// fit, and those of externref are empty.
	Portable bool
	// Quiet makes canonical what floats get from elsewhere than arithmetic:
	// memory, constants, lanes, bits.
	Quiet bool
	// Raw takes back what Portable does to NaNs. A quiet and portable module
	// shows, as it is, what the raw one must show after rewriting.
	Raw bool
	// Imageable leaves out what makes a program not imageable: writing tables
	// and reference globals at run time.
	Imageable bool
	// Traps is how many operands out of 1000 that can trap are left unguarded.
	Traps int
	// Hostile adds shapes that are hard on compilers: deep nesting, huge
	// br_table, thousands of locals, fat frames.
	Hostile bool

	// Count, if it is there, makes the module count what it costs. It is the
	// same in everything else.
	Count *Costs

	// Drop leaves out nodes of the module by number: statements are omitted,
	// expressions become zero, functions lose their body. All else stays as it
	// was. Shrink uses it.
	Drop func(node int) bool
}

// Defaults fills in what is left zero.
func (o Options) Defaults() Options {
	o.Functions = cmpOr(o.Functions, 6)
	o.Nodes = cmpOr(o.Nodes, 60)
	o.Depth = cmpOr(o.Depth, 6)
	o.Traps = cmpOr(o.Traps, 3)
	if o.Drop == nil {
		o.Drop = func(int) bool { return false }
	}
	return o
}

func cmpOr(v, otherwise int) int {
	if v == 0 {
		return otherwise
	}
	return v
}

// Generate makes a valid WebAssembly 2.0 module (with extended constant
// expressions) out of a seed: the same module for the same seed and options,
// for one version of this package.
//
// It imports functions of module "env" that Imports lists, and exports
// functions without reference or v128 parameters, by the names of Exports
// ("f0", "f1" and so on), "again" for hosts that call back, and "observe",
// which shows all its state to the host. Its memory is exported as "memory".
func Generate(seed uint64, o Options) []byte {
	wasm, _ := generate(&source{state: seed}, o.Defaults())
	return wasm
}

// GenerateFrom makes a module out of the bytes of a fuzzer.
func GenerateFrom(data []byte, o Options) []byte {
	wasm, _ := generate(&source{data: data, fuzzed: true}, o.Defaults())
	return wasm
}

// Nodes is how many nodes a module has that Options.Drop can leave out.
func Nodes(seed uint64, o Options) int {
	_, nodes := generate(&source{state: seed}, o.Defaults())
	return nodes
}

// Shrink leaves out as many nodes as it can while the module stays bad, and
// returns the smallest one found. bad is called some hundred times.
func Shrink(seed uint64, o Options, bad func(wasm []byte) bool) []byte {
	return shrink(func() *source { return &source{state: seed} }, o.Defaults(), bad)
}

func shrink(restart func() *source, o Options, bad func(wasm []byte) bool) []byte {
	best, nodes := generate(restart(), o)
	dropped := make([]bool, nodes)
	o.Drop = func(node int) bool { return dropped[node] }
	for size := max(1, nodes/2); ; size /= 2 {
		for from := 0; from < nodes; from += size {
			part := dropped[from:min(from+size, nodes)]
			before := slices.Clone(part)
			for i := range part {
				part[i] = true
			}
			if slices.Equal(part, before) {
				continue
			}
			wasm, _ := generate(restart(), o)
			if len(wasm) < len(best) && bad(wasm) {
				best = wasm
			} else {
				copy(part, before)
			}
		}
		if size == 1 {
			return best
		}
	}
}

// An Import is a host function that generated modules may call.
type Import struct {
	Name            string
	Params, Results []ValType
}

// Imports are the functions of module "env" that a host of generated modules
// offers. What they do is up to the host, as far as the names suggest.
var Imports = []Import{
	{"i32", Types(I32), nil},
	{"i64", Types(I64), nil},
	{"f32", Types(F32), nil},
	{"f64", Types(F64), nil},
	{"mix", Types(I32, I64, F32, F64), nil},
	{"get32", nil, Types(I32)},
	{"get64", Types(I32), Types(I64)},
	{"getf32", Types(F32), Types(F32)}, // may answer a NaN with a payload
	{"getf64", nil, Types(F64)},        // likewise
	{"two", Types(I32), Types(I32, F64)},
	{"poke", Types(I32, I32), nil},    // writes an i32 to memory, if it is in bounds
	{"peek", Types(I32), Types(I32)},  // reads one, and remembers a digest of all memory
	{"again", Types(I32), Types(I32)}, // calls the export "again"
	{"work", Types(I32), nil},         // the host does work that costs fuel
	{"exit", Types(I32), nil},         // ends the program
	{"many", manyParams, Types(F64)},  // spills registers
	{"wide", Types(I32), wideResults}, // many results
}

var (
	manyParams  = Types(I64, F32, I32, F64, I32, I64, F64, F32, I32, I64, F64, I32, F32, I64, I32, F64, F64, F64, I64, I32)
	wideResults = Types(I64, F64, I32, F32, I32, F64, I64, I64, F32, I32, F64, I64)
)

// Exports are the names that a generated module may export, in the order that
// they are to be called.
func Exports() []string {
	var names []string
	for i := range exportsMost {
		names = append(names, fmt.Sprintf("f%d", i))
	}
	return append(names, "observe")
}

const (
	exportsMost = 8
	budget      = 300  // loop rounds and calls of one export, when bounded
	pagesMost   = 12   // memory that a module declares
	entriesMost = 1000 // tables that a module declares
)

type function struct {
	*Func
	budgeted bool // checks the budget when it is entered
}

type global struct {
	index   int64
	typ     ValType
	mutable bool
}

type tab struct {
	index int64
	typ   ValType
	min   int
	max   uint64
}

// slot is a table entry that holds a function at the start.
type slot struct {
	table, at int64
	fn        uint32
}

type segment struct {
	index  int64
	typ    ValType // of elements
	size   int
	active bool
}

// generator is a module being generated.
type generator struct {
	*source
	o       Options
	m       *Module
	nodes   int
	imports []Import // by function index
	slots   []slot
	funcs   []function
	globals []global
	tables  []tab
	datas   []segment
	elems   []segment
	budget  int64 // the global with the budget, when bounded
	counter *counter
	loading int64 // what active segments cost
	memory  int   // pages at the start; -1 without memory
}

func generate(s *source, o Options) ([]byte, int) {
	g := &generator{source: s, o: o, m: NewModule(), memory: -1}
	g.plan()
	for i, f := range g.funcs {
		g.node(f.Func, func() { g.fill(f, i) }, func() { zeros(f.Func, f.Results) })
	}
	g.exports()
	g.count()
	return g.m.Bytes(), g.nodes
}

// node makes one part of a function that can be left out: make appends its
// code, instead appends what stands for it. Choices are the same either way.
func (g *generator) node(f *Func, make, instead func()) {
	number := g.nodes
	g.nodes++
	begin := len(f.body)
	make()
	if g.o.Drop(number) {
		f.body = f.body[:begin]
		instead()
	}
}

var (
	numeric = Types(I32, I64, F32, F64)
	values  = Types(I32, I64, F32, F64, I32, I64, F32, F64, V128, V128, FuncRef, ExternRef)
	plain   = Types(I32, I32, I64, F32, F64, V128)
)

// plan decides all but the functions' code.
func (g *generator) plan() {
	g.m.ImportFunc("env", "i64", Types(I64), nil)
	g.imports = append(g.imports, Imports[1])
	for range g.n(len(Imports)) {
		im := one(g.source, Imports)
		if im.Name == "exit" && !g.chance(150) {
			continue
		}
		g.m.ImportFunc("env", im.Name, im.Params, im.Results)
		g.imports = append(g.imports, im)
	}
	for range g.between(1, g.o.Functions) {
		f := function{g.m.Func(g.signature()), true}
		g.funcs = append(g.funcs, f)
	}
	if g.o.Count != nil {
		g.counter = &counter{Costs: *g.o.Count, calls: int64(len(g.imports))}
		for _, f := range g.funcs {
			f.count = g.counter
		}
	}
	if !g.chance(60) {
		g.planMemory()
	}
	for range g.between(1, 3) {
		g.planTable()
	}
	if g.o.Bounded {
		g.budget = int64(g.m.Global(I32, true, Const("i32.const 0")))
	}
	for range g.between(2, 8) {
		g.planGlobal()
	}
	if g.counter != nil {
		g.counter.length = int64(g.m.Global(I32, true, Const("i32.const 0")))
		g.counter.total = g.counter.length + 1
	}
	g.planSegments()
	if g.chance(150) {
		g.m.FuncNames("first")
	}
	if g.chance(100) {
		g.m.Custom(byte(g.n(12)), "note", []byte{byte(g.n(256))})
	}
}

// signature is a function type. Some are those of other functions, so that
// indirect calls hit.
func (g *generator) signature() (params, results []ValType) {
	if len(g.funcs) > 0 && g.chance(400) {
		f := one(g.source, g.funcs)
		return f.Params, f.Results
	}
	of := numeric
	if g.chance(250) {
		of = values
	}
	most := 4
	if g.o.Hostile && g.chance(60) {
		most = 60
	}
	for range g.n(most + 1) {
		params = append(params, one(g.source, of))
	}
	most = min(most, 20)
	for range g.n(most) {
		results = append(results, one(g.source, of))
	}
	return params, results
}

func (g *generator) planMemory() {
	g.memory = one(g.source, []int{1, 1, 1, 2, 0, 3, pagesMost})
	max := uint64(pagesMost)
	if !g.o.Bounded && g.chance(200) {
		max = NoMax
	}
	g.m.Memory(uint64(g.memory), max)
	if g.counter != nil {
		g.counter.pages = int64(min(max, uint64(g.counter.PagesLimit)))
	}
	g.m.ExportIndex("memory", KindMemory, 0)
}

func (g *generator) planTable() {
	t := tab{typ: FuncRef, min: one(g.source, []int{8, 10, 0, 1, 100, 17}), max: entriesMost}
	if len(g.tables) > 0 && g.chance(400) {
		t.typ = ExternRef
	}
	if g.chance(100) {
		t.max = uint64(t.min)
	}
	t.index = int64(g.m.Table(t.typ, uint64(t.min), t.max))
	g.tables = append(g.tables, t)
}

func (g *generator) planGlobal() {
	v := global{typ: one(g.source, values), mutable: g.chance(800)}
	if g.o.Imageable && (v.typ == FuncRef || v.typ == ExternRef) {
		v.mutable = false
	}
	init := new(Func)
	switch {
	case v.typ == FuncRef && g.chance(500):
		init.Op("ref.func", int64(g.anyFunc()))
	case v.typ == I32 && g.chance(300):
		init.Op("i32.const", int64(g.int32())).Op("i32.const", int64(g.int32())).Op(one(g.source, []string{"i32.add", "i32.sub", "i32.mul"}))
	case v.typ == I64 && g.chance(300):
		init.Op("i64.const", g.int64()).Op("i64.const", g.int64()).Op(one(g.source, []string{"i64.add", "i64.sub", "i64.mul"}))
	default:
		g.constant(init, v.typ)
	}
	v.index = int64(g.m.Global(v.typ, v.mutable, init.body))
	g.globals = append(g.globals, v)
}

func (g *generator) planSegments() {
	for range g.n(5) {
		s := segment{size: one(g.source, []int{8, 0, 1, 30, 300})}
		bytes := make([]byte, s.size)
		for i := range bytes {
			bytes[i] = byte(g.word())
		}
		if s.active = g.memory >= 0 && g.chance(600); s.active {
			offset := g.n(3000)
			switch {
			case g.memory == 0 && s.size > 0 && !g.chance(g.o.Traps):
				continue
			case g.memory == 0:
				offset = 0
			case g.chance(g.o.Traps):
				offset = g.memory<<16 - s.size + g.between(-1, 1)
			case g.chance(100):
				offset = g.memory<<16 - s.size
			}
			s.index = int64(g.m.Data(g.offset(offset), bytes))
			if g.counter != nil {
				g.loading += int64(s.size) >> g.counter.BytesShift
			}
		} else {
			s.index = int64(g.m.DataPassive(bytes))
		}
		g.datas = append(g.datas, s)
	}
	for range g.between(1, 5) {
		g.planElem()
	}
	all := make([]uint32, 0, len(g.imports)+len(g.funcs))
	for i := range len(g.imports) + len(g.funcs) {
		all = append(all, uint32(i))
	}
	g.m.ElemDeclare(all...)
}

func (g *generator) planElem() {
	t := one(g.source, g.tables)
	s := segment{typ: t.typ, size: one(g.source, []int{3, 5, 0, 8, 1})}
	if t.typ == ExternRef && g.o.Portable {
		s.size = 0
	}
	var funcs []uint32
	var exprs [][]byte
	var slots []slot
	for i := range s.size {
		e := new(Func)
		if t.typ == FuncRef && !g.chance(200) {
			n := g.anyFunc()
			funcs = append(funcs, n)
			slots = append(slots, slot{t.index, int64(i), n})
			e.Op("ref.func", int64(n))
		} else {
			e.Op("ref.null", int64(t.typ))
		}
		exprs = append(exprs, e.body)
	}
	plainFuncs := t.typ == FuncRef && len(funcs) == s.size && g.chance(500)
	s.active = g.chance(600) && (s.size <= t.min || !g.o.Portable && g.chance(g.o.Traps))
	if !s.active {
		if plainFuncs {
			s.index = int64(g.m.ElemPassive(funcs...))
		} else {
			s.index = int64(g.m.ElemPassiveExprs(t.typ, exprs...))
		}
		g.elems = append(g.elems, s)
		return
	}
	if g.counter != nil {
		g.loading += int64(s.size) + g.counter.Instr("table.init")
	}
	at := g.n(max(1, t.min-s.size+1))
	offset := g.offset(at)
	g.slots = slices.DeleteFunc(g.slots, func(old slot) bool {
		return old.table == t.index && old.at >= int64(at) && old.at < int64(at+s.size)
	})
	for _, s := range slots {
		s.at += int64(at)
		g.slots = append(g.slots, s)
	}
	if plainFuncs {
		s.index = int64(g.m.Elem(uint32(t.index), offset, funcs...))
	} else {
		s.index = int64(g.m.ElemExprs(uint32(t.index), offset, t.typ, exprs...))
	}
	g.elems = append(g.elems, s)
}

// offset is a constant expression for a small number.
func (g *generator) offset(n int) []byte {
	f := new(Func)
	if g.chance(200) {
		k := g.n(5000)
		return f.Op("i32.const", int64(n-k)).Op("i32.const", int64(k)).Op("i32.add").body
	}
	return f.Op("i32.const", int64(n)).body
}

func (g *generator) anyFunc() uint32 { return uint32(g.n(len(g.imports) + len(g.funcs))) }

// count adds the global that costs are counted in.
func (g *generator) count() {
	if g.counter != nil {
		index := g.m.Global(I64, true, new(Func).Op("i64.const", g.loading).body)
		g.m.ExportIndex(CountExport, KindGlobal, index)
	}
}

// function adds a function that is not planned.
func (g *generator) function(params, results []ValType) *Func {
	f := g.m.Func(params, results)
	f.count = g.counter
	return f
}

// exports adds the functions that are exported, and the start function.
func (g *generator) exports() {
	again := false
	n := 0
	for _, f := range g.funcs {
		if n < exportsMost && visible(f.Params) && visible(f.Results) {
			g.m.Export(fmt.Sprintf("f%d", n), g.entry(f.Func))
			n++
		}
		if !again && slices.Equal(f.Params, Types(I32)) && slices.Equal(f.Results, Types(I32)) {
			again = true
			g.m.Export("again", f.Func)
		}
	}
	for i, im := range g.imports {
		if n < exportsMost && g.chance(30) && !slices.Contains([]string{"exit", "again", "peek", "poke"}, im.Name) {
			g.m.ExportIndex(fmt.Sprintf("f%d", n), KindFunc, uint32(i))
			n++
		}
	}
	g.m.Export("observe", g.observe())
	if g.chance(150) {
		start := g.function(nil, nil)
		f := one(g.source, g.funcs)
		g.setBudget(start)
		zeros(start, f.Params)
		start.Op("call", int64(f.Index))
		for range f.Results {
			start.Op("drop")
		}
		g.m.Start(start.Index)
	}
}

// visible reports whether a host can pass values of these types.
func visible(types []ValType) bool {
	return !slices.ContainsFunc(types, func(t ValType) bool { return !slices.Contains(numeric, t) })
}

// entry is what is exported for a function: one that sets the budget, if there
// is one.
func (g *generator) entry(f *Func) *Func {
	if !g.o.Bounded {
		return f
	}
	e := g.function(f.Params, f.Results)
	g.setBudget(e)
	for i := range f.Params {
		e.Op("local.get", int64(i))
	}
	return e.Op("call", int64(f.Index))
}

func (g *generator) setBudget(f *Func) {
	if g.o.Bounded {
		f.Op("i32.const", budget).Op("global.set", g.budget)
	}
}

// observe is a function that hands all globals and the shape of all tables to
// the host, as far as the module imports a function for it, or writes them to
// memory; it returns a digest of them.
func (g *generator) observe() *Func {
	f := g.function(nil, Types(I64))
	digest := f.Local(I64)
	mix := func() {
		f.Op("local.get", digest).Op("i64.const", 0x100000001b3).Op("i64.mul").Op("i64.xor").Op("local.set", digest)
	}
	b := &body{generator: g, f: f}
	for _, v := range g.globals {
		get := func() { f.Op("global.get", v.index) }
		switch v.typ {
		case I32:
			get()
			f.Op("i64.extend_i32_u")
			mix()
		case I64:
			get()
			mix()
		case F32:
			get()
			b.quiet(F32)
			b.canonical(F32)
			f.Op("i32.reinterpret_f32").Op("i64.extend_i32_u")
			mix()
		case F64:
			get()
			b.quiet(F64)
			b.canonical(F64)
			f.Op("i64.reinterpret_f64")
			mix()
		case V128:
			get()
			f.Op("i64x2.extract_lane", 0)
			mix()
			get()
			f.Op("i64x2.extract_lane", 1)
			mix()
		default:
			get()
			f.Op("ref.is_null").Op("i64.extend_i32_u")
			mix()
		}
	}
	for _, t := range g.tables {
		f.Op("table.size", t.index).Op("i64.extend_i32_u")
		mix()
		for i := range min(t.min, 10) {
			f.Op("i32.const", int64(i)).Op("table.get", t.index).Op("ref.is_null").Op("i64.extend_i32_u")
			mix()
		}
	}
	for i, im := range g.imports {
		if im.Name == "i64" {
			f.Op("local.get", digest).Op("call", int64(i))
		}
	}
	return f.Op("local.get", digest)
}

// zeros appends a zero or null of each type.
func zeros(f *Func, types []ValType) {
	for _, t := range types {
		if t == FuncRef || t == ExternRef {
			f.Op("ref.null", int64(t))
		} else {
			f.Op(t.String() + ".const")
		}
	}
}
