package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"carrel/machine"
	"carrel/machine/engines"
)

// engineName is a flag: an engine, or auto for the fastest that is built in.
type engineName string

func (e *engineName) Set(s string) error {
	if s != engines.Auto && !slices.Contains(engines.Names, s) {
		return fmt.Errorf("%q is no engine: auto, wazero, interpreter or wasmtime", s)
	}
	*e = engineName(s)
	return nil
}

func (e *engineName) String() string { return string(*e) }
func (e *engineName) Type() string   { return "ENGINE" }

func (e *engineName) flag(cmd *cobra.Command) {
	*e = engines.Auto
	cmd.Flags().Var(e, "engine", "auto, wazero, interpreter or wasmtime; the result is the same")
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions(append([]string{engines.Auto}, engines.Names...), cobra.ShellCompDirectiveNoFileComp))
}

// open opens the engine, or the fastest that is built in.
func (e engineName) open() (machine.Engine, error) {
	engine, err := engines.Open(string(e))
	if err != nil {
		return nil, fmt.Errorf("--engine %w", err)
	}
	return engine, nil
}
