package machine

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"carrel/machine/image"
	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/turn"
)

// A HostFunc implements one import. Parameters are at the start of stack, and
// results replace them. It may read and write the guest's memory, charge fuel,
// and call back into the guest. An error unwinds the guest: Exit for a normal
// end, a *Fault for a fault, anything else is a worker fault.
//
// The guest has paid meter.HostCallCost before the call; what it moves is
// charged by the function itself (Instance.ChargeBytes), before it is moved.
type HostFunc func(i *Instance, stack []uint64) error

// A HostImport is a function offered to programs.
type HostImport struct {
	Type meter.FuncType
	Call HostFunc
}

// Imports are the functions that a personality offers, by module and name. With
// Longjmp among them they are more: see Find.
type Imports map[[2]string]HostImport

// A Fault is the end of a guest before its entry function returned, as an
// error: an exit, a fault of the contract, or a host stop.
type Fault struct {
	Class turn.Class
	Code  uint32 // with class exit
	Text  string // for people
}

func (f *Fault) Error() string {
	if f.Class == turn.Exit {
		return fmt.Sprintf("exit %d", f.Code)
	}
	if f.Text == "" {
		return f.Class.String()
	}
	return f.Class.String() + ": " + f.Text
}

// Exit is what a HostFunc returns to end the guest normally.
func Exit(code uint32) error { return &Fault{Class: turn.Exit, Code: code} }

var (
	errFuel = &Fault{Class: turn.Fuel, Text: "the fuel limit is used up"}
	errStop = &Fault{Class: turn.Stopped, Text: "stopped by the host"}
)

// A Program is compiled and ready to be instantiated many times. It is safe
// for concurrent use.
type Program struct {
	Module  *meter.Module
	code    Code
	exports map[string]*meter.Export

	// Detect is how changed pages are found; it is set before instances are
	// made, and makes no difference but in cost.
	Detect page.Method
}

// NewProgram joins a metered module with its compiled code, and owns the code.
func NewProgram(module *meter.Module, code Code) *Program {
	p := &Program{Module: module, code: code, exports: map[string]*meter.Export{}}
	for n := range module.Exports {
		p.exports[module.Exports[n].Name] = &module.Exports[n]
	}
	return p
}

// Close releases the compiled code.
func (p *Program) Close() error { return p.code.Close() }

// An Instance is one run of a program: memory, fuel, depth. It is used by one
// goroutine; only Stop may be called from others.
type Instance struct {
	program *Program
	cell    Cell
	limits  turn.Limits
	host    []HostFunc // by import index

	memory *page.Memory // nil if the program has none

	committed  *image.Image // what Rollback goes back to; nil is the beginning
	unverified *image.Image // what the instance started from, until it is known to be good

	changed []int // pages that differ from the image before, while settled
	settled bool  // nothing ran since they were looked for

	left    uint64 // fuel of the limit not yet handed to the guest's counter
	entries int    // calls into the guest that have not returned
	begun   bool
	dead    *Fault
	trace   []Frame // where it was when it died
	stop    atomic.Bool

	// Guest is for the personality that made the imports.
	Guest any
}

// Instantiate makes an instance with the given limits. Nothing of the guest
// runs yet. A program that asks for what imports do not offer, or for more
// memory than its limit, is refused: the error is then a *meter.Refusal.
func (p *Program) Instantiate(limits turn.Limits, imports Imports) (*Instance, error) {
	return p.instantiate(nil, limits, imports)
}

func (p *Program) instantiate(from *image.Image, limits turn.Limits, imports Imports) (_ *Instance, err error) {
	i := &Instance{program: p, committed: from}
	if err := i.limit(limits); err != nil {
		return nil, err
	}
	if err := i.bind(imports); err != nil {
		return nil, err
	}
	if memory := p.Module.Memory; memory != nil {
		var pages *page.Snapshot
		if from != nil {
			pages = from.Memory
		}
		if i.memory, err = page.NewMemory(pages, uint64(memory.Min)<<16, p.code.Guarded(), p.Detect); err != nil {
			return nil, fmt.Errorf("instantiate: %w", err)
		}
	}
	if err := i.renew(from); err != nil {
		return nil, errors.Join(fmt.Errorf("instantiate: %w", err), i.Close())
	}
	return i, nil
}

// limit sets the limits of a turn.
func (i *Instance) limit(limits turn.Limits) error {
	limits.Fuel = min(limits.Fuel, turn.FuelMax)
	limits.MemoryPages = min(limits.MemoryPages, turn.MemoryPagesMax)
	if memory := i.program.Module.Memory; memory != nil {
		needed := memory.Min
		if i.memory != nil {
			needed = max(needed, uint32(len(i.memory.Bytes())>>16))
		} else if i.committed != nil && i.committed.Memory != nil {
			needed = uint32(i.committed.Memory.Bytes() >> 16)
		}
		if needed > limits.MemoryPages {
			return &meter.Refusal{Offset: -1, Reason: fmt.Sprintf("needs %d KiB of memory to start, the limit is %d KiB",
				uint64(needed)*64, uint64(limits.MemoryPages)*64)}
		}
	}
	i.limits, i.left = limits, limits.Fuel
	return nil
}

func (i *Instance) bind(imports Imports) error {
	i.host = make([]HostFunc, len(i.program.Module.Imports))
	for n, want := range i.program.Module.Imports {
		have, ok := imports.Find(want.Module, want.Name)
		if !ok {
			return &meter.Refusal{Offset: -1, Reason: fmt.Sprintf("imports %s.%s, which this guest does not offer", want.Module, want.Name)}
		}
		if !have.Type.Equal(want.Type) {
			return &meter.Refusal{Offset: -1, Reason: fmt.Sprintf("imports %s.%s as %v, it is %v", want.Module, want.Name, want.Type, have.Type)}
		}
		i.host[n] = have.Call
	}
	return nil
}

// Watch has each import served by do from now on: it is given the import's index
// and what would have served it.
func (i *Instance) Watch(do func(n int, call HostFunc, i *Instance, stack []uint64) error) {
	for n, call := range i.host {
		i.host[n] = func(i *Instance, stack []uint64) error { return do(n, call, i, stack) }
	}
}

// Close releases the instance.
func (i *Instance) Close() (err error) {
	if i.cell != nil { // there is none if the engine could not make it
		err = i.cell.Close()
	}
	if i.memory != nil {
		i.memory.Release()
		i.memory = nil
	}
	return err
}

// Stop asks the guest to stop at its next safe point, with class stopped.
func (i *Instance) Stop() { i.stop.Store(true) }

// Start does the explicit steps of instantiation, which the first Call does
// otherwise. The error is as of Call.
func (i *Instance) Start() error {
	if i.dead != nil {
		return i.dead
	}
	return i.begin()
}

// FuelUsed is how much of the fuel limit is used up so far: at rest, or when the
// guest called an import.
func (i *Instance) FuelUsed() uint64 { return i.limits.Fuel - uint64(max(0, i.remaining())) }

// Memory is the guest's linear memory at its present size. It is valid until
// the guest runs again, and is not written after Outcome.
func (i *Instance) Memory() []byte {
	if i.memory == nil {
		return nil
	}
	return i.memory.Bytes()
}

// Bytes is the part of memory that a guest named, or a memory fault. The host
// trusts no pointer and no length of a guest: all access goes through here.
func (i *Instance) Bytes(offset, length uint32) ([]byte, bool) {
	memory := i.Memory()
	if uint64(offset)+uint64(length) > uint64(len(memory)) {
		return nil, false
	}
	return memory[offset : uint64(offset)+uint64(length) : uint64(offset)+uint64(length)], true
}

// Charge takes fuel for work of the host, before it is done.
func (i *Instance) Charge(units uint64) error {
	if units <= i.left {
		i.left -= units
		return nil
	}
	// What the guest's counter still holds belongs to the limit as well.
	counter := i.counter()
	short := units - i.left
	if fuel := counter.Fuel(); fuel < 0 || short > uint64(fuel) {
		return errFuel
	}
	i.left = 0
	i.setCounter(counter - meter.NewCounter(int64(short), 0))
	return nil
}

// Refund gives back fuel that Charge took in this turn.
func (i *Instance) Refund(units uint64) { i.left += units }

// ChargeBytes takes fuel for bytes that the host moves.
func (i *Instance) ChargeBytes(n uint64) error { return i.Charge(meter.HostBytesCost(n)) }

// Call calls an exported function of the program. The explicit steps of
// instantiation are done before the first one: active element segments, data
// segments, start function. The error is a *Fault; the instance is dead then.
//
// Arguments and results are bits: a v128 is two values, the low half first. A
// reference can only be handed in as null, 0; one that comes out means nothing
// but that it is null or not.
//
// A HostFunc may call it too (re-entry); meter.ReentryMax bounds how deep.
func (i *Instance) Call(export string, args ...uint64) ([]uint64, error) {
	if i.dead != nil {
		return nil, i.dead
	}
	e, ok := i.program.exports[export]
	if !ok || e.Kind != meter.KindFunc {
		return nil, i.die(&Fault{Class: turn.Refused, Text: fmt.Sprintf("no exported function %q", export)})
	}
	if len(args) != slots(e.Type.Params) {
		return nil, i.die(&Fault{Class: turn.Refused, Text: fmt.Sprintf("%q takes %d arguments, not %d", export, slots(e.Type.Params), len(args))})
	}
	for n, t := range e.Type.Params {
		if t.Reference() && args[slots(e.Type.Params[:n])] != 0 {
			return nil, i.die(&Fault{Class: turn.Refused, Text: fmt.Sprintf("%q takes a reference, and a host has none to give", export)})
		}
	}
	if err := i.begin(); err != nil {
		return nil, err
	}
	stack := make([]uint64, max(len(args), slots(e.Type.Results)))
	copy(stack, args)
	err := i.invoke(export, stack)
	if bad := i.verify(); bad != nil { // whatever came of it, a trap as well
		i.dead = nil
		err = i.die(bad)
	}
	if err != nil {
		return nil, err
	}
	results := stack[:slots(e.Type.Results)]
	canonical(results, e.Type.Results)
	return results, nil
}

// begin does the explicit steps of instantiation, once.
func (i *Instance) begin() error {
	if i.begun {
		return nil
	}
	i.begun, i.settled = true, false
	module := i.program.Module
	if module.HasTables {
		if err := i.invoke(meter.TablesExport, nil); err != nil {
			return err
		}
	}
	for _, segment := range module.Data {
		if err := i.Charge(meter.BulkBytesCost(uint64(len(segment.Bytes)))); err != nil {
			return i.die(err)
		}
		memory, ok := i.Bytes(segment.Offset, uint32(len(segment.Bytes)))
		if !ok {
			return i.die(&Fault{Class: turn.Memory, Text: "an active data segment lies outside of memory"})
		}
		copy(memory, segment.Bytes)
	}
	if module.HasStart {
		return i.invoke(meter.StartExport, nil)
	}
	return nil
}

// Grow is memory.grow by the host, for a program that asks its host for memory (see
// meter.ResizeName): so many pages of 64 KiB more, paid for, within the limit. It
// reports whether they are there. It is for a HostFunc. The error ends the guest.
func (i *Instance) Grow(pages uint32) (bool, error) {
	if !i.program.Module.HasGrow {
		return false, nil
	}
	stack := []uint64{uint64(pages)}
	if err := i.enter(meter.GrowExport, stack); err != nil {
		return false, i.die(err)
	}
	return uint32(stack[0]) != math.MaxUint32, nil
}

// invoke calls an exported function; any error is the end of the guest.
func (i *Instance) invoke(export string, stack []uint64) error {
	if err := i.enter(export, stack); err != nil {
		return i.die(err)
	}
	return nil
}

// enter calls an exported function. After errJump from within another call of
// the guest, that one can go on.
func (i *Instance) enter(export string, stack []uint64) error {
	if i.entries == meter.ReentryMax {
		return &Fault{Class: turn.Depth, Text: fmt.Sprintf("more than %d re-entries through the host", meter.ReentryMax)}
	}
	weight := uint32(0) // of the frames around, if there are any
	if i.entries > 0 {
		counter := i.counter()
		weight = counter.Weight()
		counter += meter.NewCounter(0, i.program.Module.Headroom)
		if i.entries >= meter.ReentryFreeMax {
			counter = meter.NewCounter(counter.Fuel(), max(counter.Weight(), meter.ReentryWeight))
		}
		if counter.Weight() >= meter.WeightMax {
			return &Fault{Class: turn.Depth, Text: "no stack is left for a re-entry through the host"}
		}
		i.setCounter(counter)
	}
	i.entries++
	i.settled = false
	err := i.cell.Invoke(export, stack)
	i.entries--
	if err != nil && (i.entries == 0 || !errors.Is(err, errJump)) {
		i.trace = append(i.trace, frames(err)...)
		return err
	}
	before := i.counter()
	counter := before
	if i.entries > 0 { // frames that a jump left took no weight away
		counter = meter.NewCounter(before.Fuel(), weight)
	}
	// What is owed is settled now; the limit decides even if no check saw it.
	if owed := -counter.Fuel(); owed > 0 {
		if uint64(owed) > i.left {
			return errFuel
		}
		i.left -= uint64(owed)
		counter += meter.NewCounter(owed, 0)
	}
	if counter != before {
		i.setCounter(counter)
	}
	return err
}

// Trace is where the guest was when a fault ended it, or it was stopped: the
// calls that had not returned, the innermost first. It is for people, and never
// part of a result: engines differ in how much they can tell.
func (i *Instance) Trace() []Frame { return i.trace }

// die classifies an error that ended the guest and remembers it.
func (i *Instance) die(err error) error {
	if i.dead == nil {
		i.dead = i.fault(err)
	}
	return i.dead
}

func (i *Instance) fault(err error) *Fault {
	if fault := (*Fault)(nil); errors.As(err, &fault) {
		return fault
	}
	if errors.Is(err, errJump) {
		return &Fault{Class: turn.Unreachable, Text: errJump.Error()}
	}
	trap := (*Trap)(nil)
	if !errors.As(err, &trap) {
		return &Fault{Class: turn.Worker, Text: err.Error()}
	}
	if trap.Class == turn.Unreachable {
		switch i.cell.Global(meter.FaultGlobal) {
		case meter.FaultDepth:
			return &Fault{Class: turn.Depth, Text: trap.Text}
		case meter.FaultMemory:
			return &Fault{Class: turn.Worker, Text: "the host has no memory left to grow into"}
		}
	}
	return &Fault{Class: trap.Class, Text: trap.Text}
}

// Import serves the imports of the cell: it makes an Instance a Host.
func (i *Instance) Import(index int, stack []uint64) error {
	if index == len(i.host) {
		return i.refuel(stack)
	}
	canonical(stack, i.program.Module.Imports[index].Type.Params)
	if i.stop.Load() {
		return errStop
	}
	if err := i.verify(); err != nil {
		return err
	}
	if err := i.host[index](i, stack); err != nil {
		return err
	}
	if i.dead != nil { // in a call back that the function made nothing of
		return i.dead
	}
	canonical(stack, i.program.Module.Imports[index].Type.Results)
	return nil
}

// refuel hands the guest its next slice, at a point where it may be stopped.
func (i *Instance) refuel(stack []uint64) error {
	if i.stop.Load() {
		return errStop
	}
	counter, owed := meter.Counter(stack[0]), meter.Counter(stack[1])
	short := max(0, -(counter - owed).Fuel())
	if uint64(short) > i.left {
		return errFuel
	}
	stack[0] = uint64(counter + i.slice(uint64(short)))
	return nil
}

// slice takes the next slice from what is left, of at least so many units.
func (i *Instance) slice(atLeast uint64) meter.Counter {
	slice := min(i.left, max(atLeast, meter.Slice))
	i.left -= slice
	return meter.NewCounter(int64(slice), 0)
}

func (i *Instance) counter() meter.Counter {
	return meter.Counter(i.cell.Global(meter.CounterGlobal))
}

func (i *Instance) setCounter(c meter.Counter) { i.cell.SetGlobal(meter.CounterGlobal, uint64(c)) }

// remaining is what is left of the limit, at rest; negative if overspent.
func (i *Instance) remaining() int64 { return int64(i.left) + i.counter().Fuel() }

// Outcome ends the instance's turn: it charges the pages that differ from the
// image before, or from zeros if there was none, and says how the turn ended.
// err is what Call returned, or why the personality gave up.
func (i *Instance) Outcome(err error) turn.Outcome {
	if err != nil {
		_ = i.die(err)
	}
	if i.dead == nil || i.dead.Class == turn.Exit {
		if charge := i.Charge(meter.PageCost * uint64(len(i.changedPages()))); charge != nil || i.remaining() < 0 {
			i.dead = errFuel
		}
	}
	if i.dead == nil {
		return turn.Outcome{Class: turn.Exit, Fuel: i.limits.Fuel - uint64(i.remaining())}
	}
	outcome := turn.Outcome{Class: i.dead.Class, Code: i.dead.Code, Text: i.dead.Text, Fuel: i.limits.Fuel}
	if i.dead.Class == turn.Exit {
		outcome.Fuel -= uint64(i.remaining())
	}
	return outcome
}

// slots is how many values of a stack hold values of these types: a v128 takes
// two.
func slots(types []meter.ValType) int {
	n := len(types)
	for _, t := range types {
		if t == meter.V128 {
			n++
		}
	}
	return n
}

// canonical makes values that leave the guest the same on every engine: NaNs
// are canonical, what is above a value of 32 bits is zero, and a reference is 1
// if it is not null.
func canonical(stack []uint64, types []meter.ValType) {
	n := 0
	for _, t := range types {
		switch t {
		case meter.I32:
			stack[n] = uint64(uint32(stack[n]))
		case meter.F32:
			bits := uint32(stack[n])
			if bits&0x7fffffff > 0x7f800000 {
				bits = meter.CanonicalNaN32
			}
			stack[n] = uint64(bits)
		case meter.F64:
			if bits := stack[n]; bits&0x7fffffffffffffff > 0x7ff0000000000000 {
				stack[n] = meter.CanonicalNaN64
			}
		case meter.V128:
			n++
		case meter.FuncRef, meter.ExternRef:
			stack[n] = min(stack[n], 1)
		}
		n++
	}
}

// Load meters and compiles a program.
func Load(ctx context.Context, engine Engine, wasm []byte) (*Program, error) {
	module, err := meter.Rewrite(wasm)
	if err != nil {
		return nil, err
	}
	code, err := engine.Compile(ctx, module)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	return NewProgram(module, code), nil
}
