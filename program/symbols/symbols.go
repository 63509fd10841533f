// Package symbols finds what a program says of its own code: the names of its
// functions, from the name section and from exports, and the lines of its sources, from DWARF in
// custom sections as clang and rustc write it.
//
// It is for people. A program may say anything or nothing of itself: what is not
// there, or makes no sense, is left out.
package symbols

import (
	"cmp"
	"debug/dwarf"
	"regexp"
	"slices"

	"github.com/ianlancetaylor/demangle"
)

// NameMax is the length of a name or path from which on it is cut short, in
// bytes.
const NameMax = 200

// A Call is a function call in the sources of a program.
type Call struct {
	Function string // demangled; may be empty
	File     string // as the compiler was given it; empty if unknown
	Line     int    // 0 if unknown
	Inlined  bool   // into the Call that comes after it
}

// A Table is what a program says of its code. It is used by one goroutine.
type Table struct {
	code    int    // where the code section's content is in the program
	bodies  []span // of the functions that the program defines, in the code section
	first   uint32 // index of the first of these
	names   map[uint32]string
	exports map[uint32]string // names that functions are exported by

	debug *dwarf.Data
	units []*unit
	ready bool // units are there
	work  int  // left of workMax
}

type span struct{ start, end int }

// Name is the name of a function, demangled, or else the one that it is exported
// by; empty if it has none.
func (t *Table) Name(function uint32) string {
	return readable(cmp.Or(t.names[function], t.exports[function]))
}

// Describes reports whether it can tell lines of a function.
func (t *Table) Describes(function uint32) bool {
	body, ok := t.body(function)
	return ok && t.debug != nil && t.unit(body) != nil
}

// Calls are the calls that an instruction stands for, the innermost first: the
// function's own is the last one, and there is always that. The offset is in the
// program's bytes; a negative one is not known.
//
// Lines are only told if the program describes a function at exactly the place
// where it is: what tools have moved since it was compiled is not believed.
func (t *Table) Calls(function uint32, offset int) []Call {
	own := Call{Function: t.Name(function)}
	body, ok := t.body(function)
	pc := offset - t.code
	if t.debug == nil || !ok || pc < body.start || pc >= body.end {
		return []Call{own}
	}
	calls := t.lookup(body, uint64(pc))
	if len(calls) == 0 {
		return []Call{own}
	}
	last := &calls[len(calls)-1]
	last.Function = cmp.Or(last.Function, own.Function)
	return calls
}

// body is where a function that the program defines is.
func (t *Table) body(function uint32) (span, bool) {
	index := int64(function) - int64(t.first)
	if index < 0 || index >= int64(len(t.bodies)) {
		return span{}, false
	}
	return t.bodies[index], true
}

// hash is what rustc appends to names.
var hash = regexp.MustCompile(`::h[0-9a-f]{16}$`)

// mangled is how names begin that say more than those in the sources, with the
// namespaces around them. (In C they say less: main goes by __main_argc_argv.)
var mangled = regexp.MustCompile(`^_*[ZR]`)

// readable is a name for people.
func readable(name string) string {
	const (
		mangledMax = 4 << 10 // bytes that are worth demangling
		lengthLog  = 12      // of what it may make of them
	)
	if len(name) <= mangledMax {
		name = demangle.Filter(name, demangle.NoParams, demangle.MaxLength(lengthLog))
	}
	return short(hash.ReplaceAllString(name, ""))
}

// short is a text cut short.
func short(s string) string {
	if len(s) <= NameMax {
		return s
	}
	runes := []rune(s[:NameMax])
	return string(slices.Concat(runes[:max(0, len(runes)-4)], []rune("…")))
}
