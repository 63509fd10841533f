package meter

import (
	"slices"
	"strings"
)

type addedFunction struct {
	t    FuncType
	body func(*emitter)
}

type initKey struct {
	segment uint32
	table   int64 // -1 for memory
}

// addInit adds a function that does memory.init or table.init from a segment,
// or from an empty one after the segment was dropped.
func (r *rewriter) addInit(key initKey, dropped, empty uint32) {
	if _, ok := r.inits[key]; ok {
		return
	}
	t := FuncType{Params: []ValType{I32, I32, I32}}
	r.inits[key] = r.add(t, func(e *emitter) {
		e.globalGet(dropped)
		e.op(opIf, typeVoid)
		e.init(key, empty)
		e.op(opElse)
		e.init(key, key.segment)
		e.op(opEnd)
	})
}

// addNullInit adds a function that does table.init from a segment of externref,
// which can hold nothing but nulls. wazero 1.12 takes such a segment for an
// empty one, so its bounds are checked here and the table is filled.
func (r *rewriter) addNullInit(key initKey, dropped uint32, droppable bool, empty uint32, items int) {
	if _, ok := r.inits[key]; ok {
		return
	}
	t := FuncType{Params: []ValType{I32, I32, I32}}
	r.inits[key] = r.add(t, func(e *emitter) {
		e.localGet(1)
		e.op(opI64ExtendI32U)
		e.localGet(2)
		e.op(opI64ExtendI32U, opI64Add)
		e.i64(int64(items))
		if droppable {
			e.i64(0)
			e.globalGet(dropped)
			e.op(opI32Eqz, opSelect)
		}
		e.op(opI64GtU, opIf, typeVoid)
		e.i32(0) // beyond its end: a table trap, whatever the table
		e.i32(1)
		e.i32(0)
		e.initFrom(key.table, empty)
		e.op(opEnd)
		e.localGet(0)
		e.fillNull(uint32(key.table), func() { e.localGet(2) })
	})
}

// fillNull fills a table of externref with null, from the index on the stack.
func (e *emitter) fillNull(table uint32, length func()) {
	e.op(opRefNull, byte(ExternRef))
	length()
	e.indexed(opBulk, opTableFill)
	e.b = appendU32(e.b, table)
}

func (e *emitter) init(key initKey, segment uint32) {
	e.localGet(0)
	e.localGet(1)
	e.localGet(2)
	e.initFrom(key.table, segment)
}

func (e *emitter) initFrom(table int64, segment uint32) {
	if table < 0 {
		e.indexed(opBulk, opMemoryInit)
		e.b = append(appendU32(e.b, segment), 0)
		return
	}
	e.indexed(opBulk, opTableInit)
	e.b = appendU32(appendU32(e.b, segment), uint32(table))
}

// pay charges an amount, in terms of a Counter, in an added function, and checks.
func (r *rewriter) pay(e *emitter, amount func()) {
	e.globalGet(r.counter)
	amount()
	e.op(opI64Sub)
	e.globalSet(r.counter)
	e.globalGet(r.counter)
	e.i64(0)
	e.op(opI64LtS, opIf, typeVoid)
	e.globalGet(r.counter)
	e.i64(0)
	e.call(r.refuel)
	e.globalSet(r.counter)
	e.op(opEnd)
}

// thunk calls an import for those who know it by reference or export only.
func (r *rewriter) thunk(index uint32) func(*emitter) {
	return func(e *emitter) {
		r.pay(e, func() { e.i64(HostCallCost << WeightBits) })
		for i := range r.p.imports[index].Type.Params {
			e.localGet(uint32(i))
		}
		e.call(index)
	}
}

// weighed is the counter as it will be with a frame of the function.
func (r *rewriter) weighed(e *emitter, index int) {
	e.globalGet(r.counter)
	if weight := r.counted(index); weight > 0 {
		e.i64(int64(weight))
		e.op(opI64Add)
	}
}

// enterSlowly is where a function goes whose check on entry failed: it stops for
// depth, or asks for fuel and calls the function anew. It is a function of its
// own so that nothing in the other is alive across a call.
func (r *rewriter) enterSlowly(index uint32) func(*emitter) {
	f := &r.functions[index]
	return func(e *emitter) {
		r.weighed(e, int(index))
		e.i64(WeightMax)
		e.op(opI64And)
		e.i64(0)
		e.op(opI64Ne, opIf, typeVoid)
		e.i32(FaultDepth)
		e.globalSet(r.fault)
		e.op(opUnreachable, opEnd)
		e.globalGet(r.counter)
		e.i64(0)
		e.call(r.refuel)
		e.globalSet(r.counter)
		for i := range f.params {
			e.localGet(uint32(i))
		}
		e.call(r.renumber(uint32(len(r.p.imports)) + index))
	}
}

// growMemory is memory.grow: it fails with -1 at the limit only, is paid for
// before, and stops with a mark if the host cannot do it.
func (r *rewriter) growMemory(e *emitter) {
	e.localGet(0)
	e.op(opI64ExtendI32U)
	e.op(opMemorySize, 0, opI64ExtendI32U, opI64Add)
	e.globalGet(r.pages)
	e.op(opI64ExtendI32U, opI64GtU, opIf, typeVoid)
	e.i32(-1)
	e.op(opReturn, opEnd)
	r.pay(e, func() {
		e.localGet(0)
		e.op(opI64ExtendI32U)
		e.i64(GrowCost << WeightBits)
		e.op(opI64Mul)
	})
	e.localGet(0)
	e.op(opMemoryGrow, 0)
	e.localTee(0)
	e.i32(-1)
	e.op(opI32Eq, opIf, typeVoid)
	e.i32(FaultMemory)
	e.globalSet(r.fault)
	e.op(opUnreachable, opEnd)
	e.localGet(0)
}

// resized reports whether the program has its host grow its memory.
func (r *rewriter) resized() bool {
	return slices.ContainsFunc(r.p.imports, func(i Import) bool { return i.Module == ResizeModule && i.Name == ResizeName })
}

// fillTables performs the active element segments, in order.
func (r *rewriter) fillTables(e *emitter) {
	for i, s := range r.p.elems {
		if s.mode != elemActive {
			continue
		}
		r.pay(e, func() { e.i64((costBulk + EntryCost*int64(len(s.items))) << WeightBits) })
		e.i32(int32(s.offset))
		if s.elem == ExternRef {
			e.fillNull(s.table, func() { e.i32(int32(len(s.items))) })
			continue
		}
		e.i32(0)
		e.i32(int32(len(s.items)))
		e.initFrom(int64(s.table), uint32(i))
	}
}

// An invoke is an added function that calls an entry of the first table.
type invoke struct {
	name     string // of the import that asks for it
	t        FuncType
	function uint32
}

// allocateInvokes adds a function for each import that asks for one.
func (r *rewriter) allocateInvokes() {
	p := r.p
	if len(p.tables) == 0 || p.tables[0].elem != FuncRef {
		return
	}
	seen := map[string]bool{}
	for _, i := range p.imports {
		if i.Module != InvokeModule || !strings.HasPrefix(i.Name, InvokePrefix) || seen[i.Name] ||
			len(i.Type.Params) == 0 || i.Type.Params[0] != I32 {
			continue
		}
		seen[i.Name] = true // of one type, however often it is imported
		r.invokes = append(r.invokes, invoke{i.Name, i.Type, r.add(i.Type, r.invoke(i.Type))})
	}
}

// invoke calls the entry that the first parameter says with the others. It is
// paid for as the same would be in the program's own code.
func (r *rewriter) invoke(t FuncType) func(*emitter) {
	n := len(t.Params)
	return func(e *emitter) {
		r.pay(e, func() { e.i64(int64(costEntry+n/costLocals+n+costCallIndirect) << WeightBits) })
		for i := 1; i < n; i++ {
			e.localGet(uint32(i))
		}
		e.localGet(0)
		e.indexed(opCallIndirect, r.typeIndex(FuncType{Params: t.Params[1:], Results: t.Results}))
		e.b = appendU32(e.b, 0)
	}
}
