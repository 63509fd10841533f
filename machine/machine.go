// Package machine runs WebAssembly under the determinism contract.
//
// A program is rewritten once (package meter), compiled by an Engine, and run
// as an Instance. All that the contract promises is done here and in the
// rewritten code, once for every engine: fuel and its limit, depth, fault
// classes, the explicit steps of instantiation, the charge for pages. An engine
// only executes.
package machine

import (
	"context"
	"errors"

	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/turn"
)

// An Engine compiles metered modules. It is safe for concurrent use.
type Engine interface {
	// Name is what people call it: "wazero", "interpreter", "wasmtime".
	Name() string
	// Version names the engine build that compiled code belongs to.
	Version() string
	// Compile makes a metered module runnable. An error is the host's problem
	// or the engine's, never the guest's: the module was validated.
	Compile(ctx context.Context, module *meter.Module) (Code, error)
	// Close releases the engine; all code must be closed before.
	Close() error
}

// Code is a compiled module, safe for concurrent use.
type Code interface {
	// Instantiate makes a cell: tables empty, no guest code run. Every import of
	// the module is served by host. Its linear memory is the one given, grown to
	// the module's initial size if it is smaller; nil if the module has none. The
	// cell grows it, and does not release it.
	Instantiate(host Host, memory *page.Memory) (Cell, error)
	// Guarded reports whether the engine counts on faults beyond the size of a
	// memory, so that it must be a guarded one.
	Guarded() bool
	Close() error
}

// A Host serves the imports of one cell. index is the position in the metered
// module's import list: the program's own imports in order, then the refuel
// import (meter.Module.RefuelImport). Parameters are at the start of stack and
// results replace them; floats are bits, v128 and references do not occur. What
// is above a value of 32 bits may be anything: Instance clears it.
//
// An error unwinds the guest: Invoke returns an error that wraps it.
type Host interface {
	Import(index int, stack []uint64) error
}

// A Cell is one raw instance in an engine. It is used by one goroutine at a
// time; Invoke may be entered again from within Host.Import.
type Cell interface {
	// Invoke calls an exported function. Parameters are at the start of stack,
	// results replace them; stack has room for the longer of the two. A v128
	// takes two values, the low half first. A trap of the guest is returned as a
	// *Trap, an error of the host as itself (wrapped: see Unwinding).
	//
	// After a trap the cell is only good for reading and Close. After an error of
	// the host it is as good as before: the calls around the one that failed may go
	// on, and new ones be made.
	Invoke(export string, stack []uint64) error
	// Global reads an exported numeric global (not v128) as bits.
	Global(export string) uint64
	// SetGlobal writes an exported mutable numeric global (not v128).
	SetGlobal(export string, bits uint64)
	Close() error
}

// A Trap is what an engine says of a trap: a class of the contract as far as
// the engine alone can know it, or Worker where the engine itself could not go
// on (its own stack overflowed, its memory failed).
type Trap struct {
	Class  turn.Class
	Text   string  // the engine's own words; may be empty
	Frames []Frame // where the guest was, the innermost call first; what the error of a re-entry told is left out
}

func (t *Trap) Error() string {
	if t.Text == "" {
		return t.Class.String()
	}
	return t.Class.String() + ": " + t.Text
}

// A Frame is a call of the guest that had not returned, as an engine sees it.
type Frame struct {
	Function uint32 // in the metered module: see meter.Module.Function
	Offset   int    // of the instruction in the metered module's bytes: see meter.Origins; negative if the engine cannot tell
	More     bool   // the engine left out frames that come after this one
}

// An Unwinding is an error of the host on its way through the guest: what Invoke
// returns of one that is Traced.
type Unwinding struct {
	Err    error
	Frames []Frame // as of a Trap
}

func (u *Unwinding) Error() string { return "host: " + u.Err.Error() }
func (u *Unwinding) Unwrap() error { return u.Err }

// Traced reports whether people will want to know where the guest was when the
// host gave an error: it ended in a fault, or was stopped. An exit is neither,
// and should cost nothing.
func Traced(err error) bool {
	fault := (*Fault)(nil)
	return errors.As(err, &fault) && fault.Class != turn.Exit
}

// frames are what an error of Invoke tells of where the guest was.
func frames(err error) []Frame {
	if trap := (*Trap)(nil); errors.As(err, &trap) {
		return trap.Frames
	}
	if unwinding := (*Unwinding)(nil); errors.As(err, &unwinding) {
		return unwinding.Frames
	}
	return nil
}

// ErrUnsupported reports an engine that this binary or platform does not have.
var ErrUnsupported = errors.New("engine is not built in")
