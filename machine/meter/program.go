package meter

import (
	"bytes"
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
