package meter

import "sort"

// Origins say which instruction of a program an instruction of its rewritten
// module comes from.
type Origins struct {
	marks []mark // in order of at
	code  int    // Layout.Code
	want  func(function uint32) bool
}

// A mark says where code comes from, from a place of what is written on.
type mark struct {
	at   int  // in a body; of Origins: in the code section
	from int  // in the program's bytes
	same bool // the code is the program's own, byte for byte; else it is for one instruction
}

// FindOrigins rewrites a program once more, and notes where what it writes comes
// from in the functions that are wanted, by their index in the program. The error
// is as of Rewrite.
func FindOrigins(wasm []byte, want func(function uint32) bool) (*Origins, error) {
	o := &Origins{want: want}
	module, err := rewrite(wasm, o)
	if err != nil {
		return nil, err
	}
	o.code = module.Layout.Code
	return o, nil
}

// Of is the offset in the program's bytes of the instruction that the one at an
// offset in the rewritten module's bytes comes from; false if that is in no
// function that was wanted.
func (o *Origins) Of(offset int) (int, bool) {
	at := offset - o.code
	n := sort.Search(len(o.marks), func(n int) bool { return o.marks[n].at > at }) - 1
	if n < 0 || o.marks[n].from < 0 {
		return 0, false
	}
	m := o.marks[n]
	if m.same {
		return m.from + at - m.at, true
	}
	return m.from, true
}

// add takes over the marks of a body that starts at an offset in the code
// section and ends where the section does, as yet.
func (o *Origins) add(body, end int, marks []mark) {
	for _, m := range marks {
		m.at += body
		o.marks = append(o.marks, m)
	}
	o.marks = append(o.marks, mark{at: end, from: -1})
}

// mark notes where what is written next comes from, if somebody wants to know.
func (w *bodyWriter) mark(from int, same bool) {
	if !w.marking {
		return
	}
	if n := len(w.marks); n > 0 && w.marks[n-1].at == len(w.b) {
		w.marks = w.marks[:n-1]
	}
	w.marks = append(w.marks, mark{len(w.b), from, same})
}

// Line tables make compiled code slower to load with some engines, by the size of
// the code. They are worth it in programs of at most linesCodeMax bytes of code,
// and in others if they are of most of it, not just of a library or two: half its
// size as a rule, and at least a share of it.
const (
	linesCodeMax = 1 << 20
	linesShare   = 16
)

// hasLines reports whether the program has line tables that are worth knowing, as
// DWARF keeps them.
func (p *program) hasLines() bool {
	lines, code := 0, 0
	for _, s := range p.sections {
		switch s.Name {
		case `custom ".debug_line"`:
			lines = s.Size
		case sectionNames[sectionCode]:
			code = s.Size
		}
	}
	return lines > 0 && (code <= linesCodeMax || lines >= code/linesShare)
}
