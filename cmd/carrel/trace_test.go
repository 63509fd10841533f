package main

import (
	"testing"

	"carrel/program/symbols"
	"carrel/runner"
)

// A program chooses its names: they never reach a terminal as they are.
func TestWhere(t *testing.T) {
	got := where([]runner.Frame{
		{Call: symbols.Call{Function: "a\x1b[2J\nb", File: "c\nd.c", Line: 3, Inlined: true}, Times: 9},
		{Call: symbols.Call{Function: "e"}, Times: 9, Left: 1234},
		{Call: symbols.Call{Inlined: true}, Index: 12, Times: 1},
		{Call: symbols.Call{Function: "f", File: "f.c", Line: 1}, Times: 1, Left: -1},
	})
	const want = "\n  at a\\x1b[2J\\nb (c\\nd.c:3, inlined)" +
		"\n  at e, 9 times" +
		"\n  … 1 234 more" +
		"\n  at function 12 (inlined)" +
		"\n  at f (f.c:1)" +
		"\n  … and more"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
