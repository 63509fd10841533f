package js_test

import (
	"fmt"
	"slices"
	"testing"

	"carrel/guest/js"
	"carrel/turn"
)

// TestMeterUnit has code that sees the meter in units, rounded down, of which the
// reply has one more that was begun.
func TestMeterUnit(t *testing.T) {
	engine := engines(t)["wazero"]
	compute := func(unit uint64, free int) uint64 {
		w := start(t, engine, js.Config{Limits: js.Limits{Compute: 1e8}, MeterUnit: unit})
		evaluate(t, w, fmt.Sprintf("globalThis.free = %d", free))
		reply := evaluate(t, w, `for (let n = 0; n < 1000; n++); const limit = currentMeterLimit(), before = resetMeter(0, 0);
			for (let n = 0; n < free; n++);
			resetMeter(limit, before); limit`)
		if reply.Text != "100000000" {
			t.Errorf("unit %d: limit %s", unit, reply.Text)
		}
		return reply.Compute
	}
	fine := compute(1, 0)
	for _, unit := range []uint64{1, 7, 100, js.MeterUnitMax} {
		one, other := compute(unit, 0), compute(unit, 99999)
		// What was begun of a unit when the meter is reset is lost.
		if most := (fine + unit - 1) / unit; one > most || one+1 < most {
			t.Errorf("unit %d: %d, and with unit 1 it is %d", unit, one, fine)
		}
		if one != other {
			t.Errorf("unit %d: %d, with free work %d", unit, one, other)
		}
	}
}

// TestHostClock has a clock of the host, which no image keeps.
func TestHostClock(t *testing.T) {
	engine := engines(t)["wazero"]
	now := uint64(1_700_000_000_123_456_000)
	w := start(t, engine, js.Config{Clock: func() uint64 { now += 1000; return now }})
	before := rootOf(t, w)
	if reply := evaluate(t, w, "`${performance.now()} ${performance.now()} ${Date.now()}`"); reply.Text != "1700000000123.457 1700000000123.458 1700000000123" {
		t.Error(reply.Text)
	}
	again := start(t, engine, js.Config{})
	if rootOf(t, again) != before {
		t.Error("the image depends on the clock")
	}
}

// TestHeap has a heap that grows, and shrinks when nothing refers to it.
func TestHeap(t *testing.T) {
	w := start(t, engines(t)["wazero"], js.Config{})
	size, before := w.MemoryBytes(), w.Allocations()
	evaluate(t, w, "globalThis.list = Array.from({ length: 10000 }, (_, n) => ({ n }))")
	if w.MemoryBytes() <= size || w.Allocations() < before+10000 {
		t.Errorf("%d bytes and %d allocations, before %d and %d", w.MemoryBytes(), w.Allocations(), size, before)
	}
	size = w.MemoryBytes()
	evaluate(t, w, "list = null")
	if w.MemoryBytes() != size || w.Allocations() > before+1000 {
		t.Errorf("%d bytes and %d allocations, before %d and %d", w.MemoryBytes(), w.Allocations(), size, before)
	}
}

// TestSteady has a worker that has evaluated much take no more for the same than a
// fresh one: the engine knows what it holds, and so when to collect.
func TestSteady(t *testing.T) {
	w := start(t, engines(t)["wazero"], js.Config{})
	const same = "for (let n = 0; n < 100; n++) ({}); 0"
	evaluate(t, w, same)
	before := evaluate(t, w, same).Outcome.Fuel
	for range 1000 {
		evaluate(t, w, "((a) => a + 1)(1)")
	}
	if after := evaluate(t, w, same).Outcome.Fuel; after > before+before/20 {
		t.Errorf("%d units after a thousand evaluations, %d before", after, before)
	}
}

func rootOf(t *testing.T, w *js.Worker) string {
	t.Helper()
	img, err := w.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return img.RootString()
}

// TestScript has scripts that see what those before them declared.
func TestScript(t *testing.T) {
	for name, engine := range engines(t) {
		w := start(t, engine, js.Config{})
		for _, test := range []struct{ source, thrown string }{
			{"let a = 1; var b = 2; Promise.resolve().then(() => { globalThis.c = a + b });", ""},
			{"if (c !== 3) throw new Error('c is ' + c)", ""},
			{"throw new Error('no')", "Error: no"},
			{"1 +", "SyntaxError: unexpected token in expression: ''"},
			{"let a = 2", "SyntaxError: redeclaration of 'a'"},
			{"1", ""},
		} {
			reply, err := w.Run(test.source, "test.js")
			thrown := ""
			if reply.Thrown != nil {
				thrown = reply.Thrown.Text
			}
			if err != nil || reply.Outcome.Class != turn.Exit || thrown != test.thrown {
				t.Errorf("%s: %s: %+v, %v", name, test.source, reply, err)
			}
		}
		if reply := evaluate(t, w, "({ get result() { throw 1 } })"); reply.Thrown == nil || !reply.Thrown.Result {
			t.Errorf("%s: %+v", name, reply)
		}
	}
}

// TestWarn has exceptions that nobody handles, with no console there.
func TestWarn(t *testing.T) {
	for name, engine := range engines(t) {
		var lines []string
		w := start(t, engine, js.Config{Warn: func(line string) error { lines = append(lines, line); return nil }})
		evaluate(t, w, "Promise.reject(new Error('a'))")
		if _, err := w.Evaluate("setImmediate(() => { throw new Error('b') })"); err != nil {
			t.Fatal(err)
		}
		if want := []string{"Unhandled exception Error: a", "Unhandled exception Error: b"}; !slices.Equal(lines, want) {
			t.Errorf("%s: %q, want %q", name, lines, want)
		}
	}
}
