package engines_test

import (
	"errors"
	"slices"
	"testing"

	"carrel/machine"
	"carrel/machine/engines"
)

// TestOpen opens what is built in by name, and the fastest of it as auto.
func TestOpen(t *testing.T) {
	built := engines.BuiltIn()
	if !slices.Contains(built, "wazero") || !slices.Contains(built, "interpreter") {
		t.Errorf("built in are %v", built)
	}
	for _, name := range append([]string{engines.Auto}, engines.Names...) {
		engine, err := engines.Open(name)
		if !slices.Contains(built, name) && name != engines.Auto {
			if !errors.Is(err, machine.ErrUnsupported) {
				t.Errorf("%s, which is not built in: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := built[0]; name == engines.Auto && engine.Name() != want {
			t.Errorf("auto is %s, not %s", engine.Name(), want)
		} else if name != engines.Auto && engine.Name() != name {
			t.Errorf("%s is %s", name, engine.Name())
		}
		engine.Close()
	}
	if _, err := engines.Open("v8"); err == nil || errors.Is(err, machine.ErrUnsupported) {
		t.Errorf("v8: %v", err)
	}
}
