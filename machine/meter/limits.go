package meter

// Limits of the validator, part of machine version 1. All of them are below
// every engine's own, so that "refused" is a result like any other.
const (
	moduleBytesMax   = 128 << 20
	codeMeteredMax   = 256 << 20 // all bodies after rewriting
	typesMax         = 100_000
	paramsMax        = 255
	resultsMax       = 255
	importsMax       = 10_000
	exportsMax       = 100_000
	functionsMax     = 500_000
	functionsAllMax  = 1_000_000 // with imports and those that are added; wasmtime's limit
	globalsMax       = 50_000
	tablesMax        = 16
	tableEntriesMax  = 1_000_000
	segmentsMax      = 100_000 // what linkers of Go and wasi-vfs make, and the most that wasmtime takes, with those that are added
	segmentItemsMax  = 1_000_000
	localsMax        = 20_000
	bodyBytesMax     = 4 << 20
	bodyMeteredMax   = 7 << 20 // after rewriting; wasmtime refuses 7,654,321
	nestingMax       = 20_000  // blocks
	loopNestingMax   = 500
	heightMax        = 20_000 // operand slots of one function
	branchTargetsMax = 16_384
	nameBytesMax     = 65_536
	constExprMax     = 64 // instructions in a constant expression
	frameWeightMax   = 1 << 15
	headroomMax      = WeightMax / 2
	memoryPagesMax   = 32_768

	// touchedMax is how many locals a loop may touch to have them put aside
	// around the call of refuel.
	touchedMax = 48
)
