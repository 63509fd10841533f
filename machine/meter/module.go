package meter

import (
	"fmt"
	"slices"
)

// A ValType is a WebAssembly value type, as in the binary format.
type ValType byte

const (
	I32       ValType = 0x7f
	I64       ValType = 0x7e
	F32       ValType = 0x7d
	F64       ValType = 0x7c
	V128      ValType = 0x7b
	FuncRef   ValType = 0x70
	ExternRef ValType = 0x6f
)

var valTypeNames = map[ValType]string{
	I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128", FuncRef: "funcref", ExternRef: "externref",
}

func (t ValType) String() string {
	if name, ok := valTypeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("type(0x%02x)", byte(t))
}

// Reference reports whether the type is a reference type.
func (t ValType) Reference() bool { return t == FuncRef || t == ExternRef }

// A FuncType is the type of a function.
type FuncType struct {
	Params  []ValType
	Results []ValType
}

// A Kind is what an import or export is.
type Kind byte

const (
	KindFunc   Kind = 0
	KindTable  Kind = 1
	KindMemory Kind = 2
	KindGlobal Kind = 3
)

func (k Kind) String() string {
	return [...]string{"func", "table", "memory", "global"}[k]
}

// Names that the rewriter adds to a module. The guest may use none that start
// with Prefix.
const (
	Prefix = "carrel:"

	// RefuelModule and RefuelName name the import that the guest calls when
	// its fuel counter shows that a slice is used up: refuel(fuel i64, owed
	// i64) -> i64. What the guest has truly left is fuel minus owed; it goes
	// on with the answer as its counter. Both are counters: see Counter.
	RefuelModule = "carrel:host"
	RefuelName   = "refuel"

	CounterGlobal = Prefix + "counter" // i64, mutable: fuel left of the present slice, and stack weight: see Counter
	PagesGlobal   = Prefix + "pages"   // i32, mutable: linear memory limit in pages of 64 KiB
	FaultGlobal   = Prefix + "fault"   // i32, mutable: why the guest stopped by unreachable, if not by its own: a Fault
	MemoryExport  = Prefix + "memory"  // the linear memory, if there is one
	TablesExport  = Prefix + "tables"  // func: performs the active element segments, if any
	StartExport   = Prefix + "start"   // func: the start function, if any

	// InvokeModule and InvokePrefix begin the names of imports by which a program
	// asks its host to call an entry of its first table: the first parameter is
	// the entry, the others are those of the function there. For each of them the
	// rewritten module exports a function of the same type that does it: see
	// InvokeExport.
	InvokeModule = "env"
	InvokePrefix = "invoke_"

	// ResizeModule and ResizeName name the import by which a program made by
	// Emscripten asks its host for more memory. Where it is, the rewritten module
	// exports its memory.grow, metered and within the limit: grow(pages i32) -> i32.
	ResizeModule = "env"
	ResizeName   = "emscripten_resize_heap"
	GrowExport   = Prefix + "grow"
)

// InvokeExport is the function that does what the import InvokeModule.name asks
// for. It is there if the import takes an i32 first, and there is a table of
// functions.
func InvokeExport(name string) string { return Prefix + name }

// A Counter is what the guest counts with: units of fuel left, shifted up by
// WeightBits, and below them the stack weight of the frames that are counted.
// So a function charges fuel and counts its frame in one addition, and both are
// asked at once.
type Counter uint64

// NewCounter makes a counter; weight is less than 1 << WeightBits.
func NewCounter(fuel int64, weight uint32) Counter {
	return Counter(fuel<<WeightBits) + Counter(weight)
}

// Fuel is what is left, negative when more was charged than there was.
func (c Counter) Fuel() int64 { return int64(c) >> WeightBits }

// Weight is the stack weight of the frames that are counted.
func (c Counter) Weight() uint32 { return uint32(c) & (1<<WeightBits - 1) }

// Values of FaultGlobal.
const (
	FaultMemory = 1 // the host failed to grow memory
	FaultDepth  = 2 // the stack weight reached WeightMax
)

// A Module is a program after rewriting, with all that a host must know to run
// it. It is immutable and safe for concurrent use.
type Module struct {
	Wasm    []byte // the rewritten module
	Imports []Import
	Exports []Export // the program's own
	Memory  *Memory  // nil if it has none
	Data    []DataSegment
	Globals []Global // mutable numeric globals of the program: part of an image

	HasGrow   bool // GrowExport is there
	HasTables bool // TablesExport must be called first
	HasStart  bool // StartExport must be called after the data segments

	Invokes []Export // see InvokeExport

	// Headroom is the weight of the heaviest chain of frames that the guest does
	// not count: to be added to the weight in its counter before each call into
	// it, and taken away after.
	Headroom uint32

	// NotImageable says why the program cannot be stopped and kept between
	// calls; empty if it can.
	NotImageable []Reason

	Functions []Function // the program's own functions, for inspection
	Sections  []Section  // the program's sections as found

	Layout Layout
}

// A Layout says where things are in a rewritten module, for those who have to
// say where in its program a guest was: see Origins.
type Layout struct {
	Code    int  // offset in Wasm of what the code section holds
	Names   int  // offset in Wasm of the names, which are its last section, or its end
	Defined int  // number of functions that the program defines
	Lines   bool // the program has line tables: offsets of instructions are worth some cost
}

// Function is the index that the program has for a function of the rewritten
// module; false if it is none of the program's.
func (m *Module) Function(index uint32) (uint32, bool) {
	refuel := uint32(m.RefuelImport())
	if index <= refuel || index > refuel+uint32(m.Layout.Defined) {
		return index, index < refuel
	}
	return index - 1, true
}

// RefuelImport is the index of the refuel import: the last one.
func (m *Module) RefuelImport() int { return len(m.Imports) }

// Export finds an export of the program by name.
func (m *Module) Export(name string) (Export, bool) {
	for _, e := range m.Exports {
		if e.Name == name {
			return e, true
		}
	}
	return Export{}, false
}

// An Import is a function that the program asks of its host; nothing else can
// be imported.
type Import struct {
	Module, Name string
	Type         FuncType
}

// An Export is something that the program shows.
type Export struct {
	Name string
	Kind Kind
	Type FuncType // of functions
}

// Memory is the linear memory of a program, in pages of 64 KiB.
type Memory struct {
	Min uint32
	Max uint32 // at most turn.MemoryPagesMax, whatever was declared
}

// A DataSegment is written into memory by the host before the guest runs. The
// host checks the bounds when it does: a segment outside is a memory fault.
type DataSegment struct {
	Offset uint32
	Bytes  []byte // shares the program's bytes
}

// A Global is a mutable numeric global of the program. A v128 is kept as two
// i64, low half first.
type Global struct {
	Exports []string // names in the rewritten module: one, or two for a v128
	Type    ValType
}

// A Reason says what makes a program not imageable.
type Reason struct {
	Offset      int    // of the instruction, in the program's bytes
	Instruction string // e.g. "table.set"
	Function    uint32
	Text        string // e.g. "writes a table"
}

// A Function describes one function of the program.
type Function struct {
	Index     uint32
	Name      string // from the name section or an export; may be empty
	Size      int    // bytes of its body
	Metered   int    // bytes of its body after rewriting
	Cost      uint64 // sum of the cost of its instructions, each counted once
	Weight    uint32 // stack weight of one frame
	Recursive bool   // it can come to be called again before it returns
}

// A Section is one section of a program.
type Section struct {
	Name   string // "type", "code", "custom name" …
	Offset int
	Size   int
}

// A Refusal says why a program is not one this machine runs. It is the same on
// every machine and engine.
type Refusal struct {
	Offset int // in the program's bytes; negative if it is none of them
	Reason string
}

func (r *Refusal) Error() string {
	if r.Offset < 0 {
		return "refused: " + r.Reason
	}
	return fmt.Sprintf("refused at byte %d: %s", r.Offset, r.Reason)
}

// Equal reports whether two function types are the same.
func (t FuncType) Equal(u FuncType) bool {
	return slices.Equal(t.Params, u.Params) && slices.Equal(t.Results, u.Results)
}

func (t FuncType) String() string { return fmt.Sprintf("%v -> %v", t.Params, t.Results) }
