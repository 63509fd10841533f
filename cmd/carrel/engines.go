package main

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"carrel/machine"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
)

// engineOrder is every engine, the fastest first.
var engineOrder = []string{"wasmtime", "wazero", "interpreter"}

// engineName is a flag: an engine, or auto for the fastest that is built in.
type engineName string

func (e *engineName) Set(s string) error {
	for _, name := range append([]string{"auto"}, engineOrder...) {
		if s == name {
			*e = engineName(s)
			return nil
		}
	}
	return fmt.Errorf("%q is no engine: auto, wazero, interpreter or wasmtime", s)
}

func (e *engineName) String() string { return string(*e) }
func (e *engineName) Type() string   { return "ENGINE" }

func (e *engineName) flag(cmd *cobra.Command) {
	*e = "auto"
	cmd.Flags().Var(e, "engine", "auto, wazero, interpreter or wasmtime; the result is the same")
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions(append([]string{"auto"}, engineOrder...), cobra.ShellCompDirectiveNoFileComp))
}

// open opens the engine, or the fastest that is built in.
func (e engineName) open() (machine.Engine, error) {
	if e != "auto" {
		engine, err := openEngine(string(e))
		if errors.Is(err, machine.ErrUnsupported) {
			return nil, fmt.Errorf("--engine %s: %w; built in: %s", e, err, strings.Join(builtIn(), ", "))
		}
		return engine, err
	}
	for _, name := range engineOrder {
		if engine, err := openEngine(name); err == nil || !errors.Is(err, machine.ErrUnsupported) {
			return engine, err
		}
	}
	return nil, machine.ErrUnsupported
}

func openEngine(name string) (machine.Engine, error) {
	switch name {
	case "wasmtime":
		return wasmtime.New(wasmtime.Options{Workers: runtime.GOMAXPROCS(0)})
	case "interpreter":
		return wazero.Interpreted(wazero.Options{}), nil
	default:
		return wazero.Compiled(wazero.Options{Workers: runtime.GOMAXPROCS(0)})
	}
}

// builtIn names the engines that this binary has here.
func builtIn() []string {
	var names []string
	for _, name := range engineOrder {
		if engine, err := openEngine(name); err == nil {
			names = append(names, name)
			engine.Close()
		}
	}
	return names
}

// engineTitle is an engine for people: its version, and its name where that
// does not say it.
func engineTitle(engine machine.Engine) string {
	if strings.Contains(engine.Version(), engine.Name()) {
		return engine.Version()
	}
	return engine.Name() + " of " + engine.Version()
}
