package machine

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"carrel/machine/meter"
	"carrel/turn"
)

// Programs in C do setjmp and longjmp through their host, as compilers for
// WebAssembly without exceptions have it. A function with a setjmp in it makes
// its calls by imports env.invoke_…, named for the type of what they call; longjmp
// notes in memory where it wants to go, and calls
// env.emscripten_longjmp. That one unwinds the guest up to the nearest invoke,
// which returns as if nothing had happened; the code after it looks in memory,
// and goes to its setjmp or calls env.emscripten_longjmp again.

// LongjmpName is the module and name of the import Longjmp.
var LongjmpName = [2]string{meter.InvokeModule, "emscripten_longjmp"}

// Longjmp unwinds the guest to the nearest import env.invoke_… that is under
// way in the innermost Call. Without one the guest has jumped to nowhere, and
// the fault is of class unreachable. Its parameters are the program's own affair.
//
// A personality that offers it offers every env.invoke_… too: see Imports.Find.
var Longjmp = HostImport{
	Type: meter.FuncType{Params: []meter.ValType{meter.I32, meter.I32}},
	Call: func(*Instance, []uint64) error { return errJump },
}

// errJump is a longjmp on its way to an invoke.
var errJump = errors.New("longjmp to a function that has returned")

// Find is what is offered by the name that a program imports it by.
func (m Imports) Find(module, name string) (HostImport, bool) {
	have, ok := m[[2]string{module, name}]
	if _, jumps := m[LongjmpName]; !ok && jumps && module == meter.InvokeModule {
		have.Type, ok = invokeType(name)
		have.Call = func(i *Instance, stack []uint64) error { return i.jumpable(name, stack) }
	}
	return have, ok
}

// invokeType is the type that the name of an env.invoke_… says: after the prefix
// the result, v for none, and the parameters of the function that it calls.
func invokeType(name string) (t meter.FuncType, ok bool) {
	letters, ok := strings.CutPrefix(name, meter.InvokePrefix)
	if !ok || letters == "" {
		return t, false
	}
	t.Params = []meter.ValType{meter.I32}
	for n, letter := range letters {
		of, known := invokeTypes[letter]
		switch {
		case n == 0 && known:
			t.Results = []meter.ValType{of}
		case n == 0 && letter == 'v':
		case !known:
			return t, false
		default:
			t.Params = append(t.Params, of)
		}
	}
	return t, true
}

var invokeTypes = map[rune]meter.ValType{'i': meter.I32, 'j': meter.I64, 'f': meter.F32, 'd': meter.F64}

// jumpable serves an import env.invoke_…: it calls the entry of the first table
// that is first on the stack with the arguments above it. After a longjmp out of
// it the result is zero.
func (i *Instance) jumpable(name string, stack []uint64) error {
	export := meter.InvokeExport(name)
	if !slices.ContainsFunc(i.program.Module.Invokes, func(e meter.Export) bool { return e.Name == export }) {
		return &Fault{Class: turn.Table, Text: fmt.Sprintf("%s.%s without a table of functions", meter.InvokeModule, name)}
	}
	err := i.enter(export, stack)
	if err == nil {
		return nil
	}
	if errors.Is(err, errJump) {
		clear(stack)
		return nil
	}
	return i.die(err)
}
