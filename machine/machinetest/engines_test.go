package machinetest_test

import (
	"errors"
	"testing"

	"carrel/machine"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
)

// engines are all that this build has: three with the tag wasmtime, else two.
func engines(t testing.TB) []machine.Engine {
	compiled, err := wazero.Compiled(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := []machine.Engine{compiled, wazero.Interpreted(wazero.Options{})}
	second, err := wasmtime.New(wasmtime.Options{})
	if errors.Is(err, machine.ErrUnsupported) {
		t.Logf("not tested: %v", err)
	} else if err != nil {
		t.Fatal(err)
	} else {
		all = append(all, second)
	}
	t.Cleanup(func() {
		for _, e := range all {
			e.Close()
		}
	})
	return all
}
