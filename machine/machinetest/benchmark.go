package machinetest

import (
	"testing"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

// Benchmark measures what an engine adds to the work of a guest: starting,
// ending, and crossing between guest and host.
func Benchmark(b *testing.B, New func(t testing.TB) machine.Engine) {
	engine := New(b)
	defer engine.Close()
	k := kit{engine}
	imports := machine.Imports{
		{"env", "host"}: hostImport([]meter.ValType{meter.I32}, []meter.ValType{meter.I32}, func(_ *machine.Instance, stack []uint64) error {
			if stack[0] == 0 {
				return machine.Exit(0)
			}
			return nil
		}),
	}
	m := caller()
	m.Memory(2, 16)
	program := k.load(b, m)

	b.Run("Compile", func(b *testing.B) {
		for b.Loop() {
			k.compile(b, m).Close()
		}
	})
	// Instance: instantiate, one call, close.
	b.Run("Instance", func(b *testing.B) { benchmarkInstance(b, program, imports, 1) })
	// Exit: the same, and the guest ends by a host call that unwinds it.
	b.Run("Exit", func(b *testing.B) { benchmarkInstance(b, program, imports, 0) })
	// Call: into the guest, to the host, and back.
	b.Run("Call", func(b *testing.B) {
		i := start(b, program, plenty, imports)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := i.Call("run", 1); err != nil {
				b.Fatal(err)
			}
		}
	})
	jumper := k.load(b, jumper())
	for _, bench := range []struct {
		name     string
		entry, n uint64
	}{
		{"Invoke", entryWork, 1},    // a call through an invoke, and back
		{"Jump", entryJump, 0},      // a call through an invoke that ends by a longjmp
		{"JumpFar", entryJump, 100}, // the same, from a hundred frames deep
		{"JumpNest", entryNest, 10}, // a longjmp through eleven invokes
	} {
		b.Run(bench.name, func(b *testing.B) { benchmarkJumps(b, jumper, bench.entry, bench.n) })
	}
}

// benchmarkJumps has the guest do so many trys itself.
func benchmarkJumps(b *testing.B, program *machine.Program, entry, n uint64) {
	i := start(b, program, turn.Limits{Fuel: turn.FuelMax, MemoryPages: 1}, jumpsAlone)
	const times = 1000
	b.ReportAllocs()
	rounds := 0
	for b.Loop() {
		if rounds++; rounds%times != 0 {
			continue
		}
		if _, err := i.Call("run", entry, n, times); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkInstance(b *testing.B, program *machine.Program, imports machine.Imports, arg uint64) {
	b.ReportAllocs()
	for b.Loop() {
		i, err := program.Instantiate(plenty, imports)
		if err != nil {
			b.Fatal(err)
		}
		_, err = i.Call("run", arg)
		if outcome := i.Outcome(err); outcome.Class != 0 {
			b.Fatal(outcome)
		}
		if err := i.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
