package wazero_test

import (
	"testing"

	"carrel/machine"
	"carrel/machine/machinetest"
	"carrel/machine/wazero"
)

func compiled(t testing.TB) machine.Engine {
	engine, err := wazero.Compiled(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func interpreted(testing.TB) machine.Engine { return wazero.Interpreted(wazero.Options{}) }

func TestCompiled(t *testing.T)    { machinetest.Run(t, compiled) }
func TestInterpreted(t *testing.T) { machinetest.Run(t, interpreted) }

func BenchmarkCompiled(b *testing.B)    { machinetest.Benchmark(b, compiled) }
func BenchmarkInterpreted(b *testing.B) { machinetest.Benchmark(b, interpreted) }
