// Package engines knows the engines that a binary has built in, the fastest first.
package engines

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"

	"carrel/machine"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
)

// Auto is the name of the fastest that is built in.
const Auto = "auto"

// Names are those of all engines, the fastest first.
var Names = []string{"wasmtime", "wazero", "interpreter"}

// Open opens an engine by its name, or the fastest for Auto. The error of one that
// is not built in is machine.ErrUnsupported, and names those that are.
func Open(name string) (machine.Engine, error) {
	switch {
	case name == Auto:
		return fastest()
	case !slices.Contains(Names, name):
		return nil, fmt.Errorf("%q is no engine: %s, %s", name, Auto, strings.Join(Names, ", "))
	}
	engine, err := open(name)
	if errors.Is(err, machine.ErrUnsupported) {
		return nil, fmt.Errorf("%s: %w; built in: %s", name, err, strings.Join(BuiltIn(), ", "))
	}
	return engine, err
}

func fastest() (machine.Engine, error) {
	for _, name := range Names {
		if engine, err := open(name); err == nil || !errors.Is(err, machine.ErrUnsupported) {
			return engine, err
		}
	}
	return nil, machine.ErrUnsupported
}

func open(name string) (machine.Engine, error) {
	switch name {
	case "wasmtime":
		return wasmtime.New(wasmtime.Options{Workers: runtime.GOMAXPROCS(0)})
	case "interpreter":
		return wazero.Interpreted(wazero.Options{}), nil
	default:
		return wazero.Compiled(wazero.Options{Workers: runtime.GOMAXPROCS(0)})
	}
}

// BuiltIn names the engines that this binary has here.
func BuiltIn() []string {
	var names []string
	for _, name := range Names {
		if engine, err := open(name); err == nil {
			names = append(names, name)
			engine.Close()
		}
	}
	return names
}

// Title is an engine for people: its version, and its name where that does not say
// it.
func Title(engine machine.Engine) string {
	if strings.Contains(engine.Version(), engine.Name()) {
		return engine.Version()
	}
	return engine.Name() + " of " + engine.Version()
}
