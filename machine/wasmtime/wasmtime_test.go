package wasmtime_test

import (
	"errors"
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest"
	"carrel/machine/wasmtime"
)

func engine(t testing.TB) machine.Engine {
	engine, err := wasmtime.New(wasmtime.Options{})
	if errors.Is(err, machine.ErrUnsupported) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	return engine
}

func TestEngine(t *testing.T) { machinetest.Run(t, engine) }

func BenchmarkEngine(b *testing.B) { machinetest.Benchmark(b, engine) }
