// Package meter turns a WebAssembly program into one that keeps the determinism
// contract on any engine (DESIGN.md, points 1 to 6): it validates the program,
// and rewrites it so that it counts its fuel and its depth, shows no NaN that an
// engine chose, and does on its own nothing that engines do differently.
//
// Rewriting goes in steps: decode (program.go, section.go), validate bodies and
// note what matters in them (body.go, events.go), see which functions are
// recursive (callgraph.go) and which are checked (checks.go), decide what is
// added (rewrite.go), decide where fuel is charged (plan.go), write the bodies
// (function.go), the functions that are added (added.go) and the module
// (module_writer.go).
//
// The result is part of the contract: what is charged where decides between
// fuel and a trap in the same stretch of code. A change of a single byte is a
// new machine version.
package meter

import (
	"slices"
)

// Rewrite validates a program and rewrites it. It is a pure function: the same
// bytes give the same module, everywhere. An error is a *Refusal. The module
// shares memory with wasm, which must not change afterwards.
func Rewrite(wasm []byte) (*Module, error) { return rewrite(wasm, nil) }

func rewrite(wasm []byte, origins *Origins) (module *Module, err error) {
	defer func() {
		if e := recover(); e != nil {
			refusal, ok := e.(*Refusal)
			if !ok {
				panic(e)
			}
			module, err = nil, refusal
		}
	}()
	p := decode(wasm)
	r := &rewriter{p: p, functions: make([]function, len(p.bodies)), extraType: map[string]uint32{}, origins: origins}
	v := &validator{p: p}
	for i := range p.bodies {
		r.functions[i] = v.function(i)
	}
	r.graph = newCallGraph(p, r.functions)
	if r.graph.headroom > headroomMax {
		refuse(-1, "its frames outside of recursion can weigh %d slots, the limit is %d", r.graph.headroom, headroomMax)
	}
	r.allocate()
	return r.write(v.imageable), nil
}

// A rewriter holds what is decided for the whole module.
type rewriter struct {
	p         *program
	functions []function
	graph     *callGraph

	extraTypes []FuncType
	extraType  map[string]uint32 // index in extraTypes, by encoding

	// Functions that are added, by index in the new module.
	refuel uint32
	thunks map[uint32]uint32 // by import: a function that pays for the call and makes it
	slow   map[uint32]uint32 // by checked function: what it does when depth or fuel is used up
	grow   uint32
	inits  map[initKey]uint32 // memory.init and table.init of segments that may be dropped
	tables uint32
	// Functions that call an entry of the first table.
	invokes []invoke
	added   []addedFunction

	// Globals that are added.
	highHalf                 map[uint32]uint32 // of v128 globals
	counter, pages, fault    uint32
	dataDropped, elemDropped map[uint32]uint32  // by segment
	aside                    [asideTypes]uint32 // the first of those that locals are put aside in
	addedGlobals             []addedGlobal

	// Segments that are added: what a dropped one is like.
	emptyData uint32
	emptyElem map[ValType]uint32

	origins *Origins // to be filled; nil but for FindOrigins
}

type addedGlobal struct {
	t     ValType
	value int64
	name  string // exported as, if not empty
}

// allocate decides the indices of all that is added.
func (r *rewriter) allocate() {
	p := r.p
	r.refuel = uint32(len(p.imports))
	r.allocateGlobals()
	r.thunks = map[uint32]uint32{}
	for i := range p.imports {
		if p.start == int64(i) || p.referred != nil && p.referred[i] {
			r.thunks[uint32(i)] = r.add(p.imports[i].Type, r.thunk(uint32(i)))
		}
	}
	r.slow = map[uint32]uint32{}
	for i, checked := range r.graph.checked {
		if checked {
			r.slow[uint32(i)] = r.add(p.types[p.funcs[i]], r.enterSlowly(uint32(i)))
		}
	}
	r.allocateSegments()
	r.allocateAside()
	if p.memory != nil {
		r.grow = r.add(FuncType{Params: []ValType{I32}, Results: []ValType{I32}}, r.growMemory)
	}
	if slices.ContainsFunc(p.elems, func(s elemSegment) bool { return s.mode == elemActive }) {
		r.tables = r.add(FuncType{}, r.fillTables)
	}
	r.allocateInvokes()
	if n := p.funcCount() + 1 + len(r.added); n > functionsAllMax {
		refuse(-1, "%d functions with those that are added, the limit is %d", n, functionsAllMax)
	}
	if n := max(int(r.dataCount()), len(p.elems)+len(r.emptyElem)); n > segmentsMax {
		refuse(-1, "%d segments with those that are added, the limit is %d", n, segmentsMax)
	}
}

func (r *rewriter) add(t FuncType, body func(*emitter)) uint32 {
	r.added = append(r.added, addedFunction{t, body})
	return uint32(r.p.funcCount() + len(r.added))
}

func (r *rewriter) addGlobal(t ValType, value int64, name string) uint32 {
	r.addedGlobals = append(r.addedGlobals, addedGlobal{t, value, name})
	return uint32(len(r.p.globals) + len(r.addedGlobals) - 1)
}

func (r *rewriter) allocateGlobals() {
	r.counter = r.addGlobal(I64, 0, CounterGlobal)
	limit := int64(0)
	if r.p.memory != nil {
		limit = int64(r.p.memory.Max)
	}
	r.pages = r.addGlobal(I32, limit, PagesGlobal)
	r.fault = r.addGlobal(I32, 0, FaultGlobal)
	r.highHalf = map[uint32]uint32{}
	for i, g := range r.p.globals {
		if g.t == V128 && g.mutable {
			r.highHalf[uint32(i)] = r.addGlobal(I64, int64(g.init.hi), globalName(i)+"h")
		}
	}
}

// asideTypes counts the types of which there can be locals to be put aside.
const asideTypes = 5

func asideType(t ValType) int { return int(I32 - t) }

// allocateAside adds the globals that locals are put aside in. No host ever
// sees them: nothing is in them at rest.
func (r *rewriter) allocateAside() {
	var most [asideTypes]int
	count := func(locals []local) {
		var n [asideTypes]int
		for _, l := range locals {
			t := asideType(l.t)
			n[t]++
			most[t] = max(most[t], n[t])
		}
	}
	for i := range r.functions {
		f := &r.functions[i]
		for i := range f.inner {
			count(f.inner[i].touched)
		}
	}
	for t, n := range most {
		for k := range n {
			g := r.addGlobal(I32-ValType(t), 0, "")
			if k == 0 {
				r.aside[t] = g
			}
		}
	}
}

// allocateSegments finds the segments that the program may drop and still use.
func (r *rewriter) allocateSegments() {
	r.dataDropped, r.elemDropped = map[uint32]uint32{}, map[uint32]uint32{}
	r.inits, r.emptyElem = map[initKey]uint32{}, map[ValType]uint32{}
	r.eachEvent(func(e *event) {
		switch e.kind {
		case evDataDrop:
			if _, ok := r.dataDropped[e.arg]; !ok && !r.p.data[e.arg].active {
				r.dataDropped[e.arg] = r.addGlobal(I32, 0, Prefix+"data"+decimal(e.arg))
			}
		case evElemDrop:
			if _, ok := r.elemDropped[e.arg]; !ok && r.p.elems[e.arg].mode == elemPassive {
				r.elemDropped[e.arg] = r.addGlobal(I32, 0, Prefix+"elem"+decimal(e.arg))
			}
		}
	})
	r.emptyData = uint32(len(r.p.data))
	r.eachEvent(func(e *event) {
		switch e.kind {
		case evMemoryInit:
			if dropped, ok := r.dataDropped[e.arg]; ok {
				r.addInit(initKey{e.arg, -1}, dropped, r.emptyData)
			}
		case evTableInit:
			s := &r.p.elems[e.arg]
			dropped, droppable := r.elemDropped[e.arg]
			if s.mode == elemPassive && s.elem == FuncRef && !droppable {
				return
			}
			empty, ok := r.emptyElem[s.elem]
			if !ok {
				empty = uint32(len(r.p.elems) + len(r.emptyElem))
				r.emptyElem[s.elem] = empty
			}
			key := initKey{e.arg, int64(r.tableOf(e))}
			switch {
			case s.mode != elemPassive:
			case s.elem == ExternRef:
				r.addNullInit(key, dropped, droppable, empty, len(s.items))
			default:
				r.addInit(key, dropped, empty)
			}
		}
	})
}

// counted is the weight that a function's frames add to the counter.
func (r *rewriter) counted(index int) uint32 {
	if r.graph.recursive[index] {
		return r.functions[index].weight
	}
	return 0
}

func (r *rewriter) eachEvent(do func(*event)) {
	for i := range r.functions {
		events := r.functions[i].events
		for j := range events {
			do(&events[j])
		}
	}
}

// tableOf reads the table of a table.init.
func (r *rewriter) tableOf(e *event) uint32 {
	at := &reader{b: r.p.wasm, pos: int(e.pos) + 1, end: int(e.end)}
	at.u32()
	at.u32()
	return at.u32()
}

// memoryInit writes a memory.init whose operands are on the stack.
func (r *rewriter) memoryInit(e *emitter, segment uint32, raw []byte) {
	if fn, ok := r.inits[initKey{segment, -1}]; ok {
		e.call(fn)
		return
	}
	e.op(raw...) // an active segment is an empty one now
}

// tableInit writes a table.init whose operands are on the stack.
func (r *rewriter) tableInit(e *emitter, ev *event, raw []byte) {
	table := int64(r.tableOf(ev))
	if fn, ok := r.inits[initKey{ev.arg, table}]; ok {
		e.call(fn)
		return
	}
	if s := &r.p.elems[ev.arg]; s.mode != elemPassive {
		e.initFrom(table, r.emptyElem[s.elem])
		return
	}
	e.op(raw...)
}

// drop writes a data.drop or elem.drop.
func (r *rewriter) drop(e *emitter, dropped map[uint32]uint32, segment uint32) {
	if global, ok := dropped[segment]; ok {
		e.i32(1)
		e.globalSet(global)
	}
}

// renumber is the index of a function in the new module.
func (r *rewriter) renumber(fn uint32) uint32 {
	if int(fn) < len(r.p.imports) {
		return fn
	}
	return fn + 1
}

// reference is the index of a function for those who may call it otherwise than
// by a call instruction.
func (r *rewriter) reference(fn uint32) uint32 {
	if thunk, ok := r.thunks[fn]; ok {
		return thunk
	}
	return r.renumber(fn)
}

// typeIndex is the index of a type, which is added if it is not there.
func (r *rewriter) typeIndex(t FuncType) uint32 {
	key := appendTypes(appendTypes(nil, t.Params), t.Results)
	i, ok := r.extraType[string(key)]
	if !ok {
		i = uint32(len(r.extraTypes))
		r.extraType[string(key)] = i
		r.extraTypes = append(r.extraTypes, t)
	}
	return uint32(len(r.p.types)) + i
}

func (r *rewriter) resultType(results []ValType) uint32 {
	return r.typeIndex(FuncType{Results: results})
}

// loopType reads the type of a loop instruction.
func (r *rewriter) loopType(raw []byte) (params, results []ValType) {
	v := validator{p: r.p, reader: reader{b: raw, pos: 1, end: len(raw)}}
	return v.blockType(0)
}
