// Package turn holds the words for one run of a guest: its limits, the classes
// of outcome, and the result. It is pure: values, parsing and printing only.
//
// The result of a turn depends on nothing but what its receipt names (see
// DESIGN.md, "The determinism contract"). Texts are never part of a result.
package turn

import "fmt"

// MachineVersion is the version of the determinism contract that this build
// implements. It changes whenever the same program and input could give a
// different result.
const MachineVersion = 1

// Limits bound one turn. All of them are inputs: they are part of the receipt.
type Limits struct {
	Fuel        uint64 // units of the fuel table; at most FuelMax
	MemoryPages uint32 // linear memory in pages of 64 KiB; at most MemoryPagesMax
}

const (
	// FuelMax is the largest fuel limit, so that fuel never overflows an i64.
	FuelMax = 1 << 62
	// MemoryPagesMax is the largest linear memory: 2 GiB in pages of 64 KiB.
	MemoryPagesMax = 32768
)

// A Class says how a turn ended. The classes up to Refused are results: the
// same on every engine and machine. Stopped and Worker are not: they say that
// this host did not finish, change nothing, and are skipped by verification.
type Class uint8

const (
	Exit        Class = iota // the guest returned or exited; Result.Code holds its code
	Unreachable              // it executed unreachable
	Memory                   // it touched memory out of bounds
	Table                    // any table trap: bounds, null entry, wrong type
	Divide                   // integer division by zero
	Overflow                 // integer overflow in division or conversion
	Conversion               // a float that is no integer was converted
	Fuel                     // it used up its fuel
	Depth                    // it went too deep: stack weight or host re-entries
	Refused                  // the program is not one this machine runs
	Stopped                  // the host stopped it: wall clock or cancellation
	Worker                   // the host failed: its memory, its stack, its engine
	classes
)

var classNames = [classes]string{
	"exit", "unreachable", "memory", "table", "divide", "overflow", "conversion",
	"fuel", "depth", "refused", "stopped", "worker",
}

func (c Class) String() string {
	if c < classes {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// ParseClass is the inverse of String.
func ParseClass(s string) (Class, error) {
	for c, name := range classNames {
		if name == s {
			return Class(c), nil
		}
	}
	return 0, fmt.Errorf("unknown class %q", s)
}

// Result reports whether the class is a result of the contract, and not a host
// stop.
func (c Class) Result() bool { return c < Stopped }

// Faulted reports whether the class is a result other than a normal exit.
func (c Class) Faulted() bool { return c != Exit && c.Result() }

// An Outcome is how a turn ended and what it used.
type Outcome struct {
	Class Class
	Code  uint32 // exit code; only with class Exit
	Fuel  uint64 // units consumed; a fault consumes the whole limit
	Root  string // "sha256:…" of the final image when asked for, else ""
	Text  string // for people: never compared, never part of a result
}
