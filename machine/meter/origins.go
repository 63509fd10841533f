package meter

import (
	"slices"
	"sort"
)

// Origins say which instruction of a program an instruction of its rewritten
// module comes from.
type Origins struct {
	marks []mark // in order of at
	code  int    // Layout.Code
}

// A mark says where code comes from, from a place of what is written on.
type mark struct {
	at   int  // in a body; of Origins: in the code section
	from int  // in the program's bytes
	same bool // the code is the program's own, byte for byte; else it is for one instruction
}

// FindOrigins rewrites a program once more, and notes where what it writes comes
// from. The error is as of Rewrite.
func FindOrigins(wasm []byte) (*Origins, error) {
	o := new(Origins)
	module, err := rewrite(wasm, o)
	if err != nil {
		return nil, err
	}
	o.code = module.Layout.Code
	return o, nil
}

// Of is the offset in the program's bytes of the instruction that the one at an
// offset in the rewritten module's bytes comes from; false if that is in no
// function of the program.
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
	if w.r.origins == nil {
		return
	}
	if n := len(w.marks); n > 0 && w.marks[n-1].at == len(w.b) {
		w.marks = w.marks[:n-1]
	}
	w.marks = append(w.marks, mark{len(w.b), from, same})
}

// hasLines reports whether the program has line tables, as DWARF keeps them.
func (p *program) hasLines() bool {
	return slices.ContainsFunc(p.sections, func(s Section) bool { return s.Name == `custom ".debug_line"` })
}
