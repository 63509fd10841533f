package meter

// A function is what validation learned of one function body. Rewriting works
// from it alone and from the body's bytes: code between two events is copied.
type function struct {
	body    span
	groups  span // the local declarations, without their count
	nGroups uint32
	code    int    // offset of the first instruction
	nLocals uint32 // parameters and locals
	weight  uint32 // stack weight of one frame
	cost    uint64 // of all instructions, each once
	loops   bool
	needs   need
	events  []event
	params  []ValType
	inner   []innards // by loop
}

// Innards are what matters of the inside of a loop.
type innards struct {
	touched []local // the locals that it reads or writes, if worth knowing
	calls   bool
	floats  bool // it does float arithmetic
}

// A local of a function.
type local struct {
	index uint32
	t     ValType
}

// A need is a temporary local that rewriting needs.
type need uint8

const (
	needI32 need = 1 << iota
	needF32
	needF64
	needV128
	needLanes32
	needLanes64
)

// An event is an instruction that rewriting has to look at. Events of dead code
// (after a branch, before the end of its block) are left out with that code.
type event struct {
	pos, end uint32 // the instruction's bytes
	cost     uint64 // of the instructions since the event before, this one included
	arg      uint32
	kind     eventKind
	flag     bool
}

type eventKind uint8

const (
	evNone         eventKind = iota
	evBlock                  // block, its end may be a branch target
	evLoop                   // arg: index in inner
	evIf                     //
	evElse                   //
	evEnd                    //
	evBr                     // arg: depth
	evBrIf                   // arg: depth; flag: the branch carries no values
	evBrTable                // targets are read again from the bytes
	evReturn                 //
	evUnreachable            //
	evCall                   // arg: function
	evCallIndirect           // arg: type
	evRefFunc                // arg: function
	evCanon32                // the f32 on top is made canonical before; arg: provenance; flag: it is copysign
	evCanon64                //
	evCopysign32             // copysign of a sign whose bits are fixed
	evCopysign64             //
	evLanes32                // the lanes of the v128 on top are made canonical after
	evLanes64                //
	evBytes                  // bulk instruction, length in bytes on top
	evEntries                // bulk instruction, length in table entries on top
	evMemoryInit             // arg: segment; flag: the length on top must be charged
	evTableInit              // arg: segment; flag as above; the table is read again
	evDataDrop               // arg: segment
	evElemDrop               // arg: segment
	evGrow                   // memory.grow
	evGlobalGet              // of a mutable v128; arg: global
	evGlobalSet              //
	evAgain                  // the next copy of an unrolled loop begins; flag: if the condition on top holds
)
