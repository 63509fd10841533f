package meter

// Units of fuel that are not the cost of an instruction. Part of machine
// version 1: see also the instruction table.
const (
	// HostCallCost is paid by the guest's code before every call of an import.
	HostCallCost = 100
	// PageCost is paid at the end of a turn for each 4 KiB page that changed.
	PageCost = 500
	// GrowCost is paid for each page of 64 KiB that memory is to grow by.
	GrowCost = 1000
	// EntryCost is paid for each table entry that a bulk instruction touches.
	EntryCost = 1
	// bulkBytes is how many bytes of a bulk memory instruction cost a unit.
	bulkBytes      = 1 << bulkBytesShift
	bulkBytesShift = 3
	// bulkKnownMax is the largest cost of a bulk instruction of constant length
	// that is charged with its neighbours, and not settled before it runs.
	bulkKnownMax = 1 << 7
	// hostBytes is how many bytes that the host moves cost a unit.
	hostBytes        = 8
	costEntry        = 2  // of entering a function, and a unit more for each
	costLocals       = 4  // … so many of its parameters and locals
	costCall         = 4  // call of a function of the program
	costCallIndirect = 8  //
	costTable        = 3  // br_table
	costBulk         = 10 // bulk instructions, before their length

	// Slice is how much fuel the guest's counter gets at once: the distance
	// between safe points. It is no part of any result.
	Slice = 2_000_000
)

// Limits of depth, part of machine version 1.
const (
	// WeightMax is the stack weight that a guest may hold, in slots of 8 bytes.
	WeightMax = 1 << (WeightBits - 1)
	// WeightBits is where the fuel begins in a Counter. The bit below is set
	// when the weight has reached WeightMax.
	WeightBits = 20
	// uncheckedMax is how much weight frames may add between two checks. The
	// counter has room for it above WeightMax.
	uncheckedMax = 1 << 17
	// uncheckedCostMax is how much fuel a call may cost that is not checked.
	uncheckedCostMax = 1 << 16
	// checkedLastCost is how much fuel a function may cost, with what it calls
	// unchecked, whose end is not checked.
	checkedLastCost = 1 << 17
	// stretchCostMax is how much fuel a function may cost, with what it calls
	// unchecked, before functions of more than smallCost that it calls are
	// checked, whatever else they are. No program seen so far has such a one.
	stretchCostMax = 1 << 26
	smallCost      = 1 << 10
	// frameSlots is the weight of a frame before its parameters, locals and
	// operands: return address, saved registers, what an engine keeps.
	frameSlots = 6
	// bodyBytesPerSlot is how many bytes of a function's code weigh one slot
	// more: wazero gives each value that lives over a call a place of its own,
	// so that long functions have frames of up to 50 times their locals and
	// operands (docs/concepts/engines.md).
	bodyBytesPerSlot = 512
	// ReentryMax is how many calls into a guest may be under way at once.
	ReentryMax = 256
	// ReentryFreeMax is how many of them are counted by their frames alone; one
	// more finds at least ReentryWeight taken. An engine may keep a stack for each
	// that holds what was deepest in it, so that frames that have returned by then
	// would take memory that nothing counts.
	ReentryFreeMax = 16
	ReentryWeight  = WeightMax / 4 * 3
)

// The NaNs that leave a guest.
const (
	CanonicalNaN32 = 0x7fc00000
	CanonicalNaN64 = 0x7ff8000000000000
)

// BulkBytesCost is the cost of n bytes written by a bulk memory instruction or
// by an active data segment.
func BulkBytesCost(n uint64) uint64 { return n / bulkBytes }

// HostBytesCost is the cost of n bytes moved by a host call.
func HostBytesCost(n uint64) uint64 { return n / hostBytes }
