package meter

// An opInfo is a row of the instruction table.
type opInfo struct {
	name string
	pop  [3]ValType // in the order they were pushed
	pops uint8
	push ValType // 0 if nothing is pushed
	cost uint8
	imm  immKind
	arg  uint8 // of the immediate: log2 of the natural alignment, or lanes
	nan  nanRule
}

// An immKind is what follows an opcode.
type immKind uint8

const (
	immNone immKind = iota
	immMem
	immMemLane // a memory argument, then a lane; arg gives both limits
	immLane
	immV128
	immShuffle
)

// A nanRule is what an instruction means for the bits of NaNs (point 5 of the
// contract).
type nanRule uint8

const (
	nanNone    nanRule = iota // result, if a float, has fixed bits
	nanMakes                  // arithmetic: a NaN result has bits of the engine's choice
	nanKeep                   // abs and neg: as good as the operand
	nanTop                    // the operand on top shows its bits: canonical before
	nanLanes32                // SIMD arithmetic: lanes are made canonical after
	nanLanes64
)

// Opcodes that are handled one by one.
const (
	opUnreachable   = 0x00
	opNop           = 0x01
	opBlock         = 0x02
	opLoop          = 0x03
	opIf            = 0x04
	opElse          = 0x05
	opEnd           = 0x0b
	opBr            = 0x0c
	opBrIf          = 0x0d
	opBrTable       = 0x0e
	opReturn        = 0x0f
	opCall          = 0x10
	opCallIndirect  = 0x11
	opDrop          = 0x1a
	opSelect        = 0x1b
	opSelectT       = 0x1c
	opLocalGet      = 0x20
	opLocalSet      = 0x21
	opLocalTee      = 0x22
	opGlobalGet     = 0x23
	opGlobalSet     = 0x24
	opTableGet      = 0x25
	opTableSet      = 0x26
	opF32Store      = 0x38
	opF64Store      = 0x39
	opMemorySize    = 0x3f
	opMemoryGrow    = 0x40
	opI32Const      = 0x41
	opI64Const      = 0x42
	opF32Const      = 0x43
	opF64Const      = 0x44
	opI32Eqz        = 0x45
	opI32Eq         = 0x46
	opI64LtS        = 0x53
	opI64GtU        = 0x56
	opF32Ge         = 0x60
	opF64Ge         = 0x66
	opI64Ne         = 0x52
	opI32Add        = 0x6a
	opI32Sub        = 0x6b
	opI32Mul        = 0x6c
	opI32And        = 0x71
	opI32Or         = 0x72
	opI32ShrU       = 0x76
	opI64Add        = 0x7c
	opI64Sub        = 0x7d
	opI64Mul        = 0x7e
	opI64And        = 0x83
	opI64Or         = 0x84
	opI64Shl        = 0x86
	opI64ExtendI32U = 0xad

	opI32ReinterpretF32 = 0xbc
	opI64ReinterpretF64 = 0xbd
	opF32ReinterpretI32 = 0xbe
	opF64ReinterpretI64 = 0xbf

	opRefNull   = 0xd0
	opRefIsNull = 0xd1
	opRefFunc   = 0xd2
	opBulk      = 0xfc
	opVector    = 0xfd

	// after opBulk
	opMemoryInit = 8
	opDataDrop   = 9
	opMemoryCopy = 10
	opMemoryFill = 11
	opTableInit  = 12
	opElemDrop   = 13
	opTableCopy  = 14
	opTableGrow  = 15
	opTableSize  = 16
	opTableFill  = 17

	// after opVector
	opV128Const        = 0x0c
	opI64x2Splat       = 0x12
	opI64x2ExtractLane = 0x1d
	opI64x2ReplaceLane = 0x1e
	opF32x4Eq          = 0x41
	opF64x2Eq          = 0x47
	opV128Bitselect    = 0x52
)
