package meter

import (
	"encoding/binary"
	"strconv"
)

func decimal(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func globalName(i int) string { return Prefix + "g" + strconv.Itoa(i) }

// write writes the rewritten module.
func (r *rewriter) write(notImageable []Reason) *Module {
	p := r.p
	m := &Module{
		Imports: p.imports, Memory: p.memory, NotImageable: notImageable, Sections: p.sections,
		HasGrow: r.grow != 0 && r.resized(), HasTables: r.tables != 0, HasStart: p.start >= 0, Headroom: r.graph.headroom,
		Functions: make([]Function, len(r.functions)),
	}
	code := r.codeSection(m)
	b := make([]byte, 0, len(code)+len(p.wasm)/4+4096)
	b = append(b, magic...)
	imports, functions, tables := r.importSection(), r.functionSection(), r.tableSection()
	b = appendSection(b, sectionType, r.typeSection())
	b = appendSection(b, sectionImport, imports)
	b = appendSection(b, sectionFunction, functions)
	b = appendSection(b, sectionTable, tables)
	b = appendSection(b, sectionMemory, r.memorySection())
	b = appendSection(b, sectionGlobal, r.globalSection())
	b = appendSection(b, sectionExport, r.exportSection(m))
	b = appendSection(b, sectionElement, r.elementSection())
	data := r.dataSection(m)
	if len(data) > 0 {
		b = appendSection(b, sectionDataCount, appendU32(nil, r.dataCount()))
	}
	b = appendSection(b, sectionCode, code)
	m.Layout = Layout{Code: len(b) - len(code), Defined: len(r.functions), Lines: p.hasLines()}
	b = appendSection(b, sectionData, data)
	m.Layout.Names = len(b)
	b = appendSection(b, sectionCustom, r.nameSection())
	m.Wasm = b
	return m
}

func (r *rewriter) codeSection(m *Module) []byte {
	p := r.p
	code := make([]byte, 0, len(p.wasm)+len(p.wasm)/3+4096)
	code = appendU32(code, uint32(len(r.functions)+len(r.added)))
	w := &bodyWriter{r: r}
	exported := map[uint32]string{}
	for _, e := range p.exports {
		if _, ok := exported[e.index]; e.kind == KindFunc && !ok {
			exported[e.index] = e.name
		}
	}
	for i := range r.functions {
		f := &r.functions[i]
		w.write(i, f)
		code = appendBody(code, w.b)
		if w.marking {
			r.origins.add(len(code)-len(w.b), len(code), w.marks)
		}
		index := uint32(len(p.imports) + i)
		name, ok := p.names[index]
		if !ok {
			name = exported[index]
		}
		m.Functions[i] = Function{Index: index, Name: name, Size: f.body.end - f.body.start, Metered: len(w.b), Cost: f.cost, Weight: f.weight, Recursive: r.graph.recursive[i]}
	}
	for _, f := range r.added {
		e := &emitter{b: []byte{0}} // no locals
		f.body(e)
		e.op(opEnd)
		code = appendBody(code, e.b)
	}
	return code
}

func appendBody(code, body []byte) []byte {
	if len(code)+len(body) > codeMeteredMax {
		refuse(-1, "its code after rewriting has more than %d bytes", codeMeteredMax)
	}
	return append(appendU32(code, uint32(len(body))), body...)
}

func (r *rewriter) typeSection() []byte {
	b := appendU32(nil, uint32(len(r.p.types)+len(r.extraTypes)))
	for _, types := range [][]FuncType{r.p.types, r.extraTypes} {
		for _, t := range types {
			b = append(b, 0x60)
			b = appendTypes(appendTypes(b, t.Params), t.Results)
		}
	}
	return b
}

func (r *rewriter) importSection() []byte {
	b := appendU32(nil, uint32(len(r.p.imports)+1))
	for i, m := range r.p.imports {
		b = appendName(appendName(b, m.Module), m.Name)
		b = appendU32(append(b, byte(KindFunc)), r.p.importsOf[i])
	}
	b = appendName(appendName(b, RefuelModule), RefuelName)
	t := FuncType{Params: []ValType{I64, I64}, Results: []ValType{I64}}
	return appendU32(append(b, byte(KindFunc)), r.typeIndex(t))
}

func (r *rewriter) functionSection() []byte {
	b := appendU32(nil, uint32(len(r.functions)+len(r.added)))
	for _, t := range r.p.funcs {
		b = appendU32(b, t)
	}
	for _, f := range r.added {
		b = appendU32(b, r.typeIndex(f.t))
	}
	return b
}

func (r *rewriter) tableSection() []byte {
	if len(r.p.tables) == 0 {
		return nil
	}
	b := appendU32(nil, uint32(len(r.p.tables)))
	for _, t := range r.p.tables {
		b = append(b, byte(t.elem), 1)
		b = appendU32(appendU32(b, t.min), max(t.min, t.max))
	}
	return b
}

func (r *rewriter) memorySection() []byte {
	if r.p.memory == nil {
		return nil
	}
	return appendU32(appendU32([]byte{1, 1}, r.p.memory.Min), r.p.memory.Max)
}

func (r *rewriter) globalSection() []byte {
	b := appendU32(nil, uint32(len(r.p.globals)+len(r.addedGlobals)))
	for _, g := range r.p.globals {
		init := g.init
		if g.t == V128 && g.mutable {
			init.t = I64
		}
		mutable := byte(0)
		if g.mutable {
			mutable = 1
		}
		b = append(b, byte(init.t), mutable)
		b = r.appendConst(b, init)
	}
	for _, g := range r.addedGlobals {
		b = append(b, byte(g.t), 1)
		b = r.appendConst(b, constExpr{t: g.t, bits: uint64(g.value)})
	}
	return b
}

func (r *rewriter) appendConst(b []byte, c constExpr) []byte {
	switch c.t {
	case I32:
		b = appendS64(append(b, opI32Const), int64(int32(c.bits)))
	case I64:
		b = appendS64(append(b, opI64Const), int64(c.bits))
	case F32:
		b = binary.LittleEndian.AppendUint32(append(b, opF32Const), uint32(c.bits))
	case F64:
		b = binary.LittleEndian.AppendUint64(append(b, opF64Const), c.bits)
	case V128:
		b = append(b, opVector, opV128Const)
		b = binary.LittleEndian.AppendUint64(b, c.bits)
		b = binary.LittleEndian.AppendUint64(b, c.hi)
	default:
		b = r.appendRef(b, c.t, c.fn)
	}
	return append(b, opEnd)
}

func (r *rewriter) appendRef(b []byte, t ValType, fn int64) []byte {
	if fn < 0 {
		return append(b, opRefNull, byte(t))
	}
	return appendU32(append(b, opRefFunc), r.reference(uint32(fn)))
}

func (r *rewriter) exportSection(m *Module) []byte {
	var b []byte
	n := 0
	add := func(name string, kind Kind, index uint32) {
		b = appendU32(append(appendName(b, name), byte(kind)), index)
		n++
	}
	for _, e := range r.p.exports {
		index := e.index
		shown := Export{Name: e.name, Kind: e.kind}
		if e.kind == KindFunc {
			index = r.reference(index)
			shown.Type = *r.p.typeOf(e.index)
		}
		add(e.name, e.kind, index)
		m.Exports = append(m.Exports, shown)
	}
	for i, g := range r.p.globals {
		if !g.mutable || g.t.Reference() {
			continue
		}
		add(globalName(i), KindGlobal, uint32(i))
		names := []string{globalName(i)}
		if g.t == V128 {
			names = append(names, globalName(i)+"h")
		}
		m.Globals = append(m.Globals, Global{Exports: names, Type: g.t})
	}
	for i, g := range r.addedGlobals {
		if g.name == "" {
			continue
		}
		add(g.name, KindGlobal, uint32(len(r.p.globals)+i))
	}
	for _, dropped := range []map[uint32]uint32{r.dataDropped, r.elemDropped} {
		for segment := range uint32(max(len(r.p.data), len(r.p.elems))) {
			if index, ok := dropped[segment]; ok {
				m.Globals = append(m.Globals, Global{Exports: []string{r.addedGlobals[int(index)-len(r.p.globals)].name}, Type: I32})
			}
		}
	}
	if r.p.memory != nil {
		add(MemoryExport, KindMemory, 0)
	}
	if m.HasGrow {
		add(GrowExport, KindFunc, r.grow)
	}
	if m.HasTables {
		add(TablesExport, KindFunc, r.tables)
	}
	if m.HasStart {
		add(StartExport, KindFunc, r.reference(uint32(r.p.start)))
	}
	for _, i := range r.invokes {
		name := InvokeExport(i.name)
		add(name, KindFunc, i.function)
		m.Invokes = append(m.Invokes, Export{Name: name, Kind: KindFunc, Type: i.t})
	}
	return append(appendU32(nil, uint32(n)), b...)
}

// elementSection writes all segments as passive or declarative, and after them
// the empty ones.
func (r *rewriter) elementSection() []byte {
	n := len(r.p.elems) + len(r.emptyElem)
	if n == 0 {
		return nil
	}
	b := appendU32(nil, uint32(n))
	for _, s := range r.p.elems {
		flags := byte(5)
		if s.mode == elemDeclarative {
			flags = 7
		}
		b = append(b, flags, byte(s.elem))
		b = appendU32(b, uint32(len(s.items)))
		for _, fn := range s.items {
			b = append(r.appendRef(b, s.elem, fn), opEnd)
		}
	}
	for i := range len(r.emptyElem) {
		for t, index := range r.emptyElem { // at most two: found by index
			if int(index) == len(r.p.elems)+i {
				b = append(b, 5, byte(t), 0)
			}
		}
	}
	return b
}

func (r *rewriter) dataCount() uint32 {
	n := uint32(len(r.p.data))
	if len(r.dataDropped) > 0 {
		n++
	}
	return n
}

// dataSection writes all segments as passive; what the active ones hold is the
// host's to write.
func (r *rewriter) dataSection(m *Module) []byte {
	n := r.dataCount()
	if n == 0 {
		return nil
	}
	b := appendU32(nil, n)
	for _, s := range r.p.data {
		b = append(b, 1)
		if s.active {
			m.Data = append(m.Data, DataSegment{Offset: s.offset, Bytes: s.bytes})
			b = append(b, 0)
			continue
		}
		b = append(appendU32(b, uint32(len(s.bytes))), s.bytes...)
	}
	if len(r.dataDropped) > 0 {
		b = append(b, 1, 0)
	}
	return b
}

// nameSection carries the function names over, for traces.
func (r *rewriter) nameSection() []byte {
	if len(r.p.names) == 0 {
		return nil
	}
	var names []byte
	n := uint32(0)
	for fn := range uint32(r.p.funcCount()) {
		if name, ok := r.p.names[fn]; ok {
			names = appendName(appendU32(names, r.renumber(fn)), name)
			n++
		}
	}
	content := append(appendU32(nil, n), names...)
	b := appendName(nil, "name")
	b = append(b, 1)
	b = appendU32(b, uint32(len(content)))
	return append(b, content...)
}
