// Package wasmgen makes WebAssembly modules for tests: chosen ones with a small
// builder and assembler (Module, Func), and random valid ones (Generate).
//
//	m := wasmgen.NewModule()
//	log := m.ImportFunc("env", "log", wasmgen.Types(wasmgen.I32), nil)
//	m.Memory(1, 2)
//	f := m.Func(wasmgen.Types(wasmgen.I32), wasmgen.Types(wasmgen.I32))
//	f.Code(`
//		local.get 0 ; i32.const 1 ; i32.add ; local.tee 0
//		call ` + fmt.Sprint(log) + `
//		local.get 0
//	`)
//	m.Export("next", f)
//	wasm := m.Bytes()
//
// The builder checks nothing but names of instructions and numbers of
// immediates, since tests want broken modules too. It panics on misuse.
package wasmgen

import (
	"encoding/binary"
	"math"
	"slices"
)

// NoMax is a limit that is not declared.
const NoMax = math.MaxUint64

// Kinds of imports and exports, as in the binary format.
const (
	KindFunc   byte = 0
	KindTable  byte = 1
	KindMemory byte = 2
	KindGlobal byte = 3
)

// Types is a list of value types.
func Types(types ...ValType) []ValType { return types }

// A Module is a module under construction. Bytes encodes it.
type Module struct {
	types   [][]byte
	imports [][]byte
	tables  [][]byte
	memory  [][]byte
	globals [][]byte
	exports [][]byte
	elems   [][]byte
	datas   [][]byte
	funcs   []*Func
	start   []byte
	custom  map[byte][]byte // custom sections, by the section they come before
	counts  map[byte]uint32 // imports by kind

	// NoDataCount leaves the data count section out; it is there otherwise
	// when the module has data segments.
	NoDataCount bool
}

// NewModule starts an empty module.
func NewModule() *Module {
	return &Module{custom: map[byte][]byte{}, counts: map[byte]uint32{}}
}

// Type is the index of a function type, which is added if it is new.
func (m *Module) Type(params, results []ValType) uint32 {
	b := typeVec(typeVec([]byte{0x60}, params), results)
	if i := slices.IndexFunc(m.types, func(t []byte) bool { return slices.Equal(t, b) }); i >= 0 {
		return uint32(i)
	}
	m.types = append(m.types, b)
	return uint32(len(m.types) - 1)
}

// ImportFunc imports a function and returns its index. All imports of functions
// come before the first Func.
func (m *Module) ImportFunc(module, name string, params, results []ValType) uint32 {
	if len(m.funcs) > 0 {
		panic("wasmgen: import a function before defining the first one")
	}
	return m.Import(module, name, KindFunc, U32(nil, m.Type(params, results)))
}

// Import imports anything, by kind and encoded descriptor, and returns its
// index among what is imported of this kind.
func (m *Module) Import(module, name string, kind byte, descriptor []byte) uint32 {
	b := append(Name(Name(nil, module), name), kind)
	m.imports = append(m.imports, append(b, descriptor...))
	m.counts[kind]++
	return m.counts[kind] - 1
}

// Func adds a function and returns it, to be filled with code.
func (m *Module) Func(params, results []ValType) *Func {
	f := &Func{
		Index:   m.counts[KindFunc] + uint32(len(m.funcs)),
		Params:  params,
		Results: results,
		module:  m,
		typ:     m.Type(params, results),
	}
	m.funcs = append(m.funcs, f)
	return f
}

// Memory adds a memory, in pages of 64 KiB; max may be NoMax.
func (m *Module) Memory(min, max uint64) uint32 {
	m.memory = append(m.memory, limits(nil, min, max))
	return m.counts[KindMemory] + uint32(len(m.memory)-1)
}

// Table adds a table and returns its index; max may be NoMax.
func (m *Module) Table(elem ValType, min, max uint64) uint32 {
	m.tables = append(m.tables, limits([]byte{byte(elem)}, min, max))
	return m.counts[KindTable] + uint32(len(m.tables)-1)
}

// Global adds a global and returns its index. init is a constant expression
// without its end: see Const.
func (m *Module) Global(t ValType, mutable bool, init []byte) uint32 {
	b := []byte{byte(t), 0}
	if mutable {
		b[1] = 1
	}
	m.globals = append(m.globals, append(append(b, init...), 0x0b))
	return m.counts[KindGlobal] + uint32(len(m.globals)-1)
}

// Export exports a function.
func (m *Module) Export(name string, f *Func) { m.ExportIndex(name, KindFunc, f.Index) }

// ExportIndex exports anything, by kind and index.
func (m *Module) ExportIndex(name string, kind byte, index uint32) {
	m.exports = append(m.exports, U32(append(Name(nil, name), kind), index))
}

// Start makes a function the start function.
func (m *Module) Start(index uint32) { m.start = U32(nil, index) }

// Elem adds an active segment of functions to a table at offset, a constant
// expression, and returns the segment's index.
func (m *Module) Elem(table uint32, offset []byte, funcs ...uint32) uint32 {
	b := []byte{0}
	if table != 0 {
		b = U32([]byte{2}, table)
	}
	b = append(append(b, offset...), 0x0b)
	if table != 0 {
		b = append(b, 0)
	}
	return m.elem(indices(b, funcs))
}

// ElemExprs adds an active segment of constant expressions of a type.
func (m *Module) ElemExprs(table uint32, offset []byte, t ValType, exprs ...[]byte) uint32 {
	b := append(append(U32([]byte{6}, table), offset...), 0x0b, byte(t))
	return m.elem(expressions(b, exprs))
}

// ElemPassive adds a passive segment of functions.
func (m *Module) ElemPassive(funcs ...uint32) uint32 {
	return m.elem(indices([]byte{1, 0}, funcs))
}

// ElemPassiveExprs adds a passive segment of constant expressions of a type.
func (m *Module) ElemPassiveExprs(t ValType, exprs ...[]byte) uint32 {
	return m.elem(expressions([]byte{5, byte(t)}, exprs))
}

// ElemDeclare adds a declarative segment, so that ref.func may name functions.
func (m *Module) ElemDeclare(funcs ...uint32) uint32 {
	return m.elem(indices([]byte{3, 0}, funcs))
}

func (m *Module) elem(b []byte) uint32 {
	m.elems = append(m.elems, b)
	return uint32(len(m.elems) - 1)
}

// Data adds an active data segment at offset, a constant expression, and
// returns its index.
func (m *Module) Data(offset, bytes []byte) uint32 {
	return m.data(append(append([]byte{0}, offset...), 0x0b), bytes)
}

// DataPassive adds a passive data segment.
func (m *Module) DataPassive(bytes []byte) uint32 { return m.data([]byte{1}, bytes) }

func (m *Module) data(head, bytes []byte) uint32 {
	m.datas = append(m.datas, append(U32(head, uint32(len(bytes))), bytes...))
	return uint32(len(m.datas) - 1)
}

// Custom adds a custom section before the section with an id, after all others
// for id 0.
func (m *Module) Custom(before byte, name string, content []byte) {
	m.custom[before] = Section(m.custom[before], 0, append(Name(nil, name), content...))
}

// FuncNames adds a name section that names functions by index, in order.
func (m *Module) FuncNames(names ...string) {
	b := U32(nil, uint32(len(names)))
	for i, name := range names {
		b = Name(U32(b, uint32(i)), name)
	}
	m.Custom(0, "name", Section(nil, 1, b))
}

// Header is the magic number and version that a module begins with.
var Header = []byte{0, 'a', 's', 'm', 1, 0, 0, 0}

// Bytes encodes the module.
func (m *Module) Bytes() []byte {
	var funcs, bodies [][]byte
	for _, f := range m.funcs {
		funcs = append(funcs, U32(nil, f.typ))
		bodies = append(bodies, f.encode())
	}
	var dataCount []byte
	if len(m.datas) > 0 && !m.NoDataCount {
		dataCount = U32(nil, uint32(len(m.datas)))
	}
	b := slices.Clone(Header)
	for _, s := range []struct {
		id      byte
		content []byte
	}{
		{1, vec(m.types)}, {2, vec(m.imports)}, {3, vec(funcs)}, {4, vec(m.tables)}, {5, vec(m.memory)},
		{6, vec(m.globals)}, {7, vec(m.exports)}, {8, m.start}, {9, vec(m.elems)}, {12, dataCount},
		{10, vec(bodies)}, {11, vec(m.datas)}, {0, nil},
	} {
		b = append(b, m.custom[s.id]...)
		if s.content != nil {
			b = Section(b, s.id, s.content)
		}
	}
	return b
}

// Section appends a section with its id and size.
func Section(b []byte, id byte, content []byte) []byte {
	return append(U32(append(b, id), uint32(len(content))), content...)
}

// U32 appends an unsigned LEB128 number.
func U32(b []byte, v uint32) []byte { return U64(b, uint64(v)) }

// U64 appends an unsigned LEB128 number.
func U64(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// S64 appends a signed LEB128 number; it serves for 32 bits too.
func S64(b []byte, v int64) []byte {
	for v < -64 || v > 63 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// Name appends a name: its length and bytes.
func Name(b []byte, s string) []byte { return append(U32(b, uint32(len(s))), s...) }

func limits(b []byte, min, max uint64) []byte {
	if max == NoMax {
		return U64(append(b, 0), min)
	}
	return U64(U64(append(b, 1), min), max)
}

func typeVec(b []byte, types []ValType) []byte {
	b = U32(b, uint32(len(types)))
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}

func indices(b []byte, all []uint32) []byte {
	b = U32(b, uint32(len(all)))
	for _, i := range all {
		b = U32(b, i)
	}
	return b
}

func expressions(b []byte, all [][]byte) []byte {
	b = U32(b, uint32(len(all)))
	for _, e := range all {
		b = append(append(b, e...), 0x0b)
	}
	return b
}

// vec is a vector of encoded things; nil if it is empty.
func vec(all [][]byte) []byte {
	if len(all) == 0 {
		return nil
	}
	return append(U32(nil, uint32(len(all))), slices.Concat(all...)...)
}
