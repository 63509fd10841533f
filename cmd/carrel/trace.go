package main

import (
	"fmt"
	"strings"

	"carrel/runner"
)

// A traceFlag says what of a program is shown as it happens; empty is nothing.
type traceFlag string

const traceCalls = "calls"

func (f *traceFlag) Set(s string) error {
	if s != traceCalls {
		return fmt.Errorf("%q is not %s", s, traceCalls)
	}
	*f = traceFlag(s)
	return nil
}

func (f *traceFlag) String() string { return string(*f) }
func (f *traceFlag) Type() string   { return "WHAT" }

// framed is a call of a trace for programs that read it.
type framed struct {
	Index    uint32 `json:"function"` // among those of the program
	Function string `json:"name,omitempty"`
	File     string `json:"file,omitempty"`
	Line     int    `json:"line,omitempty"`
	Inlined  bool   `json:"inlined,omitempty"` // into the next one
	Times    int    `json:"times"`             // in a row
	Left     int    `json:"left,omitempty"`    // left out after this one; negative if nobody knows how many
}

func framesOf(trace []runner.Frame) []framed {
	frames := make([]framed, len(trace))
	for n, f := range trace {
		frames[n] = framed{f.Index, f.Function, f.File, f.Line, f.Inlined, f.Times, f.Left}
	}
	return frames
}

// where is the trace of a program for people, a line for each call, each with a
// newline before it.
func where(trace []runner.Frame) string {
	var b strings.Builder
	for _, f := range trace {
		name := f.Function
		if name == "" {
			name = fmt.Sprintf("function %d", f.Index)
		}
		fmt.Fprintf(&b, "\n  at %s", plain(name))
		switch {
		case f.Line > 0 && f.Inlined:
			fmt.Fprintf(&b, " (%s:%d, inlined)", plain(f.File), f.Line)
		case f.Line > 0:
			fmt.Fprintf(&b, " (%s:%d)", plain(f.File), f.Line)
		case f.Inlined:
			b.WriteString(" (inlined)")
		}
		if f.Times > 1 && !f.Inlined {
			fmt.Fprintf(&b, ", %s times", grouped(uint64(f.Times)))
		}
		switch {
		case f.Left > 0:
			fmt.Fprintf(&b, "\n  … %s more", grouped(uint64(f.Left)))
		case f.Left < 0:
			b.WriteString("\n  … and more")
		}
	}
	return b.String()
}
