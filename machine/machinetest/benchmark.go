package machinetest

import (
	"testing"

	"carrel/machine"
	"carrel/machine/meter"
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
