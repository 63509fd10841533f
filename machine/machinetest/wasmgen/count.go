package wasmgen

import "strings"

// Costs are what a module is to count by itself, instruction by instruction, to
// hold against a count that was made more cleverly.
type Costs struct {
	Instr func(name string) int64 // of an instruction, without what follows here
	Enter func(locals int) int64  // of entering a function with so many parameters and locals
	Page  int64                   // of each page that memory grows by, or would
	// BytesShift is log2 of how many bytes of a bulk instruction, or of an
	// active data segment, cost a unit. A table entry costs one.
	BytesShift int64
	// PagesLimit is what memory cannot grow beyond, apart from its maximum.
	PagesLimit int64
}

// CountExport is the exported global where a module counts its costs.
const CountExport = "count"

// counter makes functions count what they cost, in a global.
type counter struct {
	Costs
	total  int64 // the global; calls of imports are not in it
	length int64 // a global for moments
	pages  int64
	calls  int64 // how many functions are imported
}

// before appends what counts an instruction, ahead of it.
func (c *counter) before(b []byte, name string, imm []int64) []byte {
	op := func(name string, imm ...int64) { b = appendOp(b, name, imm) }
	units := c.Instr(name)
	if name == "call" && imm[0] < c.calls {
		units = 0 // the host counts its calls
	}
	if units != 0 {
		b = c.add(b, units)
	}
	length := strings.HasPrefix(name, "memory.") || strings.HasPrefix(name, "table.")
	switch name {
	case "memory.size", "table.get", "table.set", "table.size":
		length = false
	}
	if !length {
		return b
	}
	op("global.set", c.length)
	op("global.get", c.total)
	op("global.get", c.length)
	op("i64.extend_i32_u")
	switch name {
	case "memory.grow":
		op("i64.const", c.Page)
		op("i64.mul")
		op("i64.const", 0)
		op("global.get", c.length)
		op("i64.extend_i32_u")
		op("memory.size")
		op("i64.extend_i32_u")
		op("i64.add")
		op("i64.const", c.pages)
		op("i64.le_u")
		op("select")
	case "memory.fill", "memory.copy", "memory.init":
		op("i64.const", c.BytesShift)
		op("i64.shr_u")
	}
	op("i64.add")
	op("global.set", c.total)
	op("global.get", c.length)
	return b
}

func (c *counter) enter(b []byte, locals int) []byte { return c.add(b, c.Enter(locals)) }

func (c *counter) add(b []byte, units int64) []byte {
	b = appendOp(b, "global.get", []int64{c.total})
	b = appendOp(b, "i64.const", []int64{units})
	b = appendOp(b, "i64.add", nil)
	return appendOp(b, "global.set", []int64{c.total})
}
