package js_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"carrel/guest/js"
)

// TestRoots holds images of an engine to those that were written down:
// the start compartment, lockdown, and a program after some messages. Another root
// means that the shim has changed, or the host layer, and then its version must.
func TestRoots(t *testing.T) {
	engine := engines(t)["wazero"]
	var lines strings.Builder
	note := func(what, root string) { fmt.Fprintf(&lines, "%s %s\n", what, root) }
	note("shim", js.Shim().String())
	w := start(t, engine, js.Config{})
	note("start", rootOf(t, w))
	note("lockdown", lockedDown(t, engine, "lockdown.bundle").RootString())
	source, err := os.ReadFile("testdata/state.js")
	if err != nil {
		t.Fatal(err)
	}
	h := new(host)
	w = start(t, engine, h.config())
	evaluate(t, w, string(source))
	for n := range 20 {
		seen, _ := turnOf(t, w, h, n)
		if n == 19 {
			note(fmt.Sprintf("state fuel=%d compute=%d", seen.outcome.Fuel, seen.compute), seen.root)
		}
	}
	file := recorded("roots.txt")
	if *update {
		if err := os.WriteFile(file, []byte(lines.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if lines.String() != string(want) {
		t.Errorf("%s, want %s", lines.String(), want)
	}
}
