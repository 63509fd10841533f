package meter

import (
	"bytes"
	"fmt"
)

// A program is a decoded module before rewriting. Function bodies are read by
// validate; everything else is here.
type program struct {
	wasm []byte

	types     []FuncType
	imports   []Import
	importsOf []uint32 // type index of each import
	funcs     []uint32 // type index of each defined function
	tables    []table
	memory    *Memory
	globals   []global
	exports   []export
	start     int64 // function index, -1 for none
	elems     []elemSegment
	data      []dataSegment
	dataCount int64 // -1 when the section is absent
	bodies    []span
	names     map[uint32]string

	sections []Section

	referred []bool // by function index: mentioned outside of code, so that ref.func may name it
	called   []bool // by function index: may be called through a table or a reference
}

type span struct{ start, end int }

type table struct {
	elem     ValType
	min, max uint32
}

type global struct {
	t       ValType
	mutable bool
	init    constExpr
}

type export struct {
	name  string
	kind  Kind
	index uint32
}

type elemMode uint8

const (
	elemActive elemMode = iota
	elemPassive
	elemDeclarative
)

type elemSegment struct {
	mode   elemMode
	table  uint32
	offset uint32
	elem   ValType
	items  []int64 // function indices, -1 for null
}

type dataSegment struct {
	active bool
	offset uint32
	bytes  []byte
}

// A constExpr is the value of a constant expression: there are no imported
// globals, so it is known.
type constExpr struct {
	t        ValType
	bits, hi uint64 // hi for v128
	fn       int64  // for funcref: the function, -1 for null
}

func (p *program) funcCount() int { return len(p.imports) + len(p.funcs) }

func (p *program) typeOf(fn uint32) *FuncType {
	if int(fn) < len(p.imports) {
		return &p.types[p.importsOf[fn]]
	}
	return &p.types[p.funcs[int(fn)-len(p.imports)]]
}

func (p *program) typeIndexOf(fn uint32) uint32 {
	if int(fn) < len(p.imports) {
		return p.importsOf[fn]
	}
	return p.funcs[int(fn)-len(p.imports)]
}

var magic = []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

const (
	sectionCustom = iota
	sectionType
	sectionImport
	sectionFunction
	sectionTable
	sectionMemory
	sectionGlobal
	sectionExport
	sectionStart
	sectionElement
	sectionCode
	sectionData
	sectionDataCount
)

var sectionNames = [...]string{"custom", "type", "import", "function", "table", "memory", "global",
	"export", "start", "element", "code", "data", "data count"}

// sectionOrder is where a section stands among the others.
var sectionOrder = [...]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 10}

// decode reads a module, all but its function bodies.
func decode(wasm []byte) *program {
	if len(wasm) > moduleBytesMax {
		refuse(0, "a program of %d bytes, the limit is %d", len(wasm), moduleBytesMax)
	}
	if len(wasm) < len(magic) || !bytes.Equal(wasm[:4], magic[:4]) {
		refuse(0, "not a WebAssembly module: the magic number is missing")
	}
	if !bytes.Equal(wasm[4:8], magic[4:]) {
		if bytes.Equal(wasm[4:8], []byte{0x0d, 0, 1, 0}) {
			refuse(4, "a WebAssembly component; only core modules run here")
		}
		refuse(4, "unknown binary version")
	}
	p := &program{wasm: wasm, start: -1, dataCount: -1}
	r := &reader{b: wasm, pos: len(magic), end: len(wasm)}
	last := 0
	for r.left() > 0 {
		at := r.pos
		id := int(r.byte())
		size := r.u32()
		if int64(size) > int64(r.left()) {
			refuse(at, "unexpected end: a section of %d bytes, %d left", size, r.left())
		}
		s := &reader{b: wasm, pos: r.pos, end: r.pos + int(size)}
		r.pos = s.end
		if id >= len(sectionNames) {
			refuse(at, "malformed section id %d", id)
		}
		name := sectionNames[id]
		if id == sectionCustom {
			name = p.custom(s)
		} else {
			if sectionOrder[id] <= last {
				refuse(at, "unexpected %s section: twice or out of order", name)
			}
			last = sectionOrder[id]
			p.section(id, s)
			if s.left() != 0 {
				refuse(s.pos, "section size mismatch: %d bytes left in the %s section", s.left(), name)
			}
		}
		p.sections = append(p.sections, Section{Name: name, Offset: at, Size: int(size)})
	}
	p.finish()
	return p
}

func (p *program) section(id int, r *reader) {
	switch id {
	case sectionType:
		p.typeSection(r)
	case sectionImport:
		p.importSection(r)
	case sectionFunction:
		for range r.count("functions", functionsMax) {
			p.funcs = append(p.funcs, p.typeIndex(r))
		}
	case sectionTable:
		for range r.count("tables", tablesMax) {
			p.tables = append(p.tables, readTable(r))
		}
	case sectionMemory:
		at := r.pos
		switch r.count("memories", 1<<20) {
		case 0:
		case 1:
			p.memory = readMemory(r)
		default:
			refuse(at, "multiple memories")
		}
	case sectionGlobal:
		for range r.count("globals", globalsMax) {
			p.globals = append(p.globals, p.readGlobal(r))
		}
	case sectionExport:
		p.exportSection(r)
	case sectionStart:
		p.startSection(r)
	case sectionElement:
		for range r.count("element segments", segmentsMax) {
			p.elems = append(p.elems, p.readElem(r))
		}
	case sectionDataCount:
		p.dataCount = int64(r.u32())
	case sectionCode:
		p.codeSection(r)
	case sectionData:
		for range r.count("data segments", segmentsMax) {
			p.data = append(p.data, p.readData(r))
		}
	}
}

// finish checks what only the whole module shows.
func (p *program) finish() {
	if len(p.bodies) != len(p.funcs) {
		refuse(len(p.wasm), "function and code section have inconsistent lengths: %d and %d", len(p.funcs), len(p.bodies))
	}
	if p.dataCount >= 0 && p.dataCount != int64(len(p.data)) {
		refuse(len(p.wasm), "data count and data section have inconsistent lengths: %d and %d", p.dataCount, len(p.data))
	}
}

func (p *program) typeSection(r *reader) {
	for range r.count("types", typesMax) {
		at := r.pos
		if form := r.byte(); form != 0x60 {
			refuse(at, "malformed type form 0x%02x: only function types are known", form)
		}
		p.types = append(p.types, FuncType{
			Params:  readTypes(r, "parameters", paramsMax),
			Results: readTypes(r, "results", resultsMax),
		})
	}
}

func readTypes(r *reader, what string, limit int) []ValType {
	n := r.count(what, limit)
	if n == 0 {
		return nil
	}
	types := make([]ValType, n)
	for i := range types {
		types[i] = r.valType()
	}
	return types
}

func (p *program) typeIndex(r *reader) uint32 {
	at := r.pos
	t := r.u32()
	if int(t) >= len(p.types) {
		refuse(at, "unknown type %d", t)
	}
	return t
}

func (p *program) importSection(r *reader) {
	types := map[[2]string]FuncType{}
	for range r.count("imports", importsMax) {
		at := r.pos
		module, name := r.name(), r.name()
		kindAt := r.pos
		kind := Kind(r.byte())
		switch {
		case kind > KindGlobal:
			refuse(kindAt, "malformed import kind %d", kind)
		case kind != KindFunc:
			p.skipImport(r, kind)
			refuse(at, "imports %s %s.%s: only functions can be imported", kind, module, name)
		case module == "":
			refuse(at, "imports %s of a module without a name", name) // wazero has none
		case hasPrefix(module) || hasPrefix(name):
			refuse(at, "imports %s.%s: names that start with %q are the machine's", module, name, Prefix)
		}
		t := p.typeIndex(r)
		key := [2]string{module, name}
		if other, ok := types[key]; ok && !other.Equal(p.types[t]) {
			refuse(at, "imports %s.%s as %v and as %v", module, name, other, p.types[t])
		}
		types[key] = p.types[t]
		p.imports = append(p.imports, Import{Module: module, Name: name, Type: p.types[t]})
		p.importsOf = append(p.importsOf, t)
	}
}

func (p *program) skipImport(r *reader, kind Kind) {
	switch kind {
	case KindTable:
		readTable(r)
	case KindMemory:
		readMemory(r)
	case KindGlobal:
		readGlobalType(r)
	}
}

func hasPrefix(name string) bool { return len(name) >= len(Prefix) && name[:len(Prefix)] == Prefix }

// readLimits reads the size and the limit of a table or memory; the limit is
// top where none is declared.
func readLimits(r *reader, what string, top uint32) (lo, hi uint32) {
	at := r.pos
	flag := r.byte()
	if flag > 1 {
		refuse(at, "malformed limits flag %d of a %s: shared and 64-bit ones are not known", flag, what)
	}
	lo = r.u32()
	hi = top
	if flag == 1 {
		hi = r.u32()
		if hi < lo {
			refuse(at, "size minimum must not be greater than maximum: a %s of %d to %d", what, lo, hi)
		}
	}
	return lo, hi
}

func readTable(r *reader) table {
	at := r.pos
	t := table{elem: r.refType()}
	t.min, t.max = readLimits(r, "table", 1<<32-1)
	if t.min > tableEntriesMax {
		refuse(at, "a table of %d entries, the limit is %d", t.min, tableEntriesMax)
	}
	t.max = min(t.max, tableEntriesMax)
	return t
}

func readMemory(r *reader) *Memory {
	at := r.pos
	lo, hi := readLimits(r, "memory", 1<<16)
	if lo > 1<<16 || hi > 1<<16 {
		refuse(at, "memory size must be at most 65536 pages (4 GiB)")
	}
	if lo > memoryPagesMax {
		refuse(at, "a memory of %d pages, the limit is %d (2 GiB)", lo, memoryPagesMax)
	}
	return &Memory{Min: lo, Max: min(hi, memoryPagesMax)}
}

func readGlobalType(r *reader) (ValType, bool) {
	t := r.valType()
	at := r.pos
	mutable := r.byte()
	if mutable > 1 {
		refuse(at, "malformed mutability %d", mutable)
	}
	return t, mutable == 1
}

func (p *program) readGlobal(r *reader) global {
	var g global
	g.t, g.mutable = readGlobalType(r)
	g.init = p.readConst(r, g.t)
	return g
}

func (p *program) exportSection(r *reader) {
	n := r.count("exports", exportsMax)
	seen := make(map[string]bool, n)
	for range n {
		at := r.pos
		e := export{name: r.name()}
		kindAt := r.pos
		e.kind = Kind(r.byte())
		if e.kind > KindGlobal {
			refuse(kindAt, "malformed export kind %d", e.kind)
		}
		e.index = r.u32()
		if seen[e.name] {
			refuse(at, "duplicate export name %q", e.name)
		}
		seen[e.name] = true
		if hasPrefix(e.name) {
			refuse(at, "exports %q: names that start with %q are the machine's", e.name, Prefix)
		}
		limit := [...]int{p.funcCount(), len(p.tables), 0, len(p.globals)}[e.kind]
		if e.kind == KindMemory && p.memory != nil {
			limit = 1
		}
		if int64(e.index) >= int64(limit) {
			refuse(at, "unknown %s %d exported", e.kind, e.index)
		}
		if e.kind == KindFunc {
			p.refer(e.index, false)
		}
		p.exports = append(p.exports, e)
	}
}

func (p *program) startSection(r *reader) {
	at := r.pos
	fn := r.u32()
	if int(fn) >= p.funcCount() {
		refuse(at, "unknown function %d to start", fn)
	}
	if t := p.typeOf(fn); len(t.Params)+len(t.Results) > 0 {
		refuse(at, "the start function takes %d and returns %d values, it must take and return none", len(t.Params), len(t.Results))
	}
	p.start = int64(fn)
}

// refer notes that a function is mentioned outside of code; called says that it
// may be called through a reference then.
func (p *program) refer(fn uint32, called bool) {
	if p.referred == nil {
		p.referred = make([]bool, p.funcCount())
		p.called = make([]bool, p.funcCount())
	}
	p.referred[fn] = true
	p.called[fn] = p.called[fn] || called
}

func (p *program) readElem(r *reader) elemSegment {
	at := r.pos
	flags := r.u32()
	if flags > 7 {
		refuse(at, "malformed elements segment kind %d", flags)
	}
	s := elemSegment{elem: FuncRef}
	switch {
	case flags&1 == 0:
		s.mode = elemActive
	case flags&2 == 0:
		s.mode = elemPassive
	default:
		s.mode = elemDeclarative
	}
	if s.mode == elemActive {
		if flags&2 != 0 {
			s.table = r.u32()
		}
		if int64(s.table) >= int64(len(p.tables)) {
			refuse(at, "unknown table %d", s.table)
		}
		s.offset = uint32(p.readConst(r, I32).bits)
	}
	if flags&3 != 0 {
		if flags&4 != 0 {
			s.elem = r.refType()
		} else if kind := r.byte(); kind != 0 {
			refuse(r.pos-1, "malformed element kind %d", kind)
		}
	}
	if s.mode == elemActive && p.tables[s.table].elem != s.elem {
		refuse(at, "type mismatch: a segment of %v for a table of %v", s.elem, p.tables[s.table].elem)
	}
	n := r.count("items of an element segment", segmentItemsMax)
	s.items = make([]int64, n)
	for i := range s.items {
		if flags&4 != 0 {
			s.items[i] = p.readConst(r, s.elem).fn
			continue
		}
		itemAt := r.pos
		fn := r.u32()
		if int(fn) >= p.funcCount() {
			refuse(itemAt, "unknown function %d", fn)
		}
		p.refer(fn, true)
		s.items[i] = int64(fn)
	}
	return s
}

func (p *program) readData(r *reader) dataSegment {
	at := r.pos
	flags := r.u32()
	if flags > 2 {
		refuse(at, "malformed data segment flag %d", flags)
	}
	s := dataSegment{active: flags != 1}
	if flags == 2 {
		if memory := r.u32(); memory != 0 {
			refuse(at, "unknown memory %d", memory)
		}
	}
	if s.active {
		if p.memory == nil {
			refuse(at, "unknown memory 0")
		}
		s.offset = uint32(p.readConst(r, I32).bits)
	}
	s.bytes = r.bytes(int(r.u32()))
	return s
}

func (p *program) codeSection(r *reader) {
	n := r.count("function bodies", functionsMax)
	if n != len(p.funcs) {
		refuse(r.pos, "function and code section have inconsistent lengths: %d and %d", len(p.funcs), n)
	}
	p.bodies = make([]span, n)
	for i := range p.bodies {
		at := r.pos
		size := r.u32()
		if size > bodyBytesMax {
			refuse(at, "a function body of %d bytes, the limit is %d", size, bodyBytesMax)
		}
		start := r.pos
		r.bytes(int(size))
		p.bodies[i] = span{start, r.pos}
	}
}

// readConst reads and evaluates a constant expression of type want.
func (p *program) readConst(r *reader, want ValType) constExpr {
	at := r.pos
	var stack []constExpr
	for range constExprMax {
		opAt := r.pos
		switch op := r.byte(); op {
		case opI32Const:
			stack = append(stack, constExpr{t: I32, bits: uint64(uint32(r.signed(32)))})
		case opI64Const:
			stack = append(stack, constExpr{t: I64, bits: uint64(r.signed(64))})
		case opF32Const:
			stack = append(stack, constExpr{t: F32, bits: uint64(r.f32())})
		case opF64Const:
			stack = append(stack, constExpr{t: F64, bits: r.f64()})
		case opVector:
			if sub := r.u32(); sub != opV128Const {
				refuse(opAt, "constant expression required, not SIMD instruction %d", sub)
			}
			stack = append(stack, constExpr{t: V128, bits: r.f64(), hi: r.f64()})
		case opRefNull:
			stack = append(stack, constExpr{t: r.refType(), fn: -1})
		case opRefFunc:
			fn := r.u32()
			if int(fn) >= p.funcCount() {
				refuse(opAt, "unknown function %d", fn)
			}
			p.refer(fn, true)
			stack = append(stack, constExpr{t: FuncRef, fn: int64(fn)})
		case opI32Add, opI32Sub, opI32Mul, opI64Add, opI64Sub, opI64Mul:
			stack = foldConst(opAt, op, stack)
		case opGlobalGet:
			refuse(opAt, "unknown global %d: a constant expression can read imported globals only, and there are none", r.u32())
		case opEnd:
			if len(stack) != 1 || stack[0].t != want {
				refuse(at, "type mismatch: a constant expression must give one %v", want)
			}
			return stack[0]
		default:
			refuse(opAt, "constant expression required, not opcode 0x%02x", op)
		}
	}
	refuse(at, "a constant expression of more than %d instructions", constExprMax)
	return constExpr{}
}

func foldConst(at int, op byte, stack []constExpr) []constExpr {
	t := I32
	if op >= opI64Add {
		t = I64
	}
	n := len(stack)
	if n < 2 || stack[n-1].t != t || stack[n-2].t != t {
		refuse(at, "type mismatch in a constant expression")
	}
	x, y := stack[n-2].bits, stack[n-1].bits
	switch op {
	case opI32Add, opI64Add:
		x += y
	case opI32Sub, opI64Sub:
		x -= y
	default:
		x *= y
	}
	if t == I32 {
		x = uint64(uint32(x))
	}
	return append(stack[:n-2], constExpr{t: t, bits: x})
}

// custom reads a custom section and answers how to call it. What is in it
// never makes a program invalid.
func (p *program) custom(r *reader) string {
	name := r.name()
	if name == "name" {
		p.readNames(r)
	}
	return fmt.Sprintf("custom %q", name)
}

// readNames reads the function names of a name section, as far as it is well
// formed.
func (p *program) readNames(r *reader) {
	defer func() {
		if e := recover(); e != nil {
			if _, ok := e.(*Refusal); !ok {
				panic(e)
			}
		}
	}()
	for r.left() > 0 {
		id := r.byte()
		size := int(r.u32())
		if id != 1 {
			r.bytes(size)
			continue
		}
		n := r.count("function names", functionsMax)
		p.names = make(map[uint32]string, n)
		for range n {
			index := r.u32()
			p.names[index] = r.name()
		}
	}
}
