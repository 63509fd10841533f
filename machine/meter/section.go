package meter

import "fmt"

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
