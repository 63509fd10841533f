package wazero

import (
	"errors"

	"carrel/machine"
	"carrel/turn"
)

// classes are the words of wazero for each trap (its package wasmruntime). Its
// errors are internal: the words are all there is to tell them by.
var classes = map[string]turn.Class{
	"unreachable":                   turn.Unreachable,
	"out of bounds memory access":   turn.Memory,
	"invalid table access":          turn.Table,
	"indirect call type mismatch":   turn.Table,
	"integer divide by zero":        turn.Divide,
	"integer overflow":              turn.Overflow,
	"invalid conversion to integer": turn.Conversion,
}

// trap makes the engine's error ours. What it does not know is the engine's own
// trouble: a stack overflow, a panic in Go.
func trap(err error, in layout) *machine.Trap {
	cause := err
	for next := errors.Unwrap(cause); next != nil; next = errors.Unwrap(next) {
		cause = next
	}
	class, ok := classes[cause.Error()]
	if !ok {
		class = turn.Worker
	}
	text := err.Error()
	frames := in.frames(text)
	if ok {
		text = cause.Error()
	}
	return &machine.Trap{Class: class, Text: text, Frames: frames}
}
