package main

import (
	"context"
	"fmt"

	"carrel/machine"
	"carrel/machine/machinetest/quickjs"
	"carrel/machine/meter"
	"carrel/turn"
)

// carrelOn is Carrel on an engine, with all of the contract.
func carrelOn(engine machine.Engine) subject {
	return subject{"carrel on " + engine.Name(), func(wasm []byte, imports []quickjs.Import) (guest, error) {
		program, err := machine.Load(context.Background(), engine, wasm)
		if err != nil {
			return nil, err
		}
		limits := turn.Limits{Fuel: turn.FuelMax, MemoryPages: turn.MemoryPagesMax}
		instance, err := program.Instantiate(limits, machineImports(imports))
		if err != nil {
			return nil, err
		}
		return &carrelGuest{program, instance}, nil
	}}
}

func machineImports(imports []quickjs.Import) machine.Imports {
	all := machine.Imports{}
	for _, f := range imports {
		all[[2]string{f.Module, f.Name}] = machine.HostImport{
			Type: meter.FuncType{Params: meterTypes(f.Params), Results: meterTypes(f.Results)},
			Call: func(i *machine.Instance, stack []uint64) error {
				f.Run(i.Memory(), stack)
				return nil
			},
		}
	}
	return all
}

func meterTypes(short string) (types []meter.ValType) {
	for _, t := range valueTypes(short) {
		types = append(types, meter.ValType(t))
	}
	return types
}

type carrelGuest struct {
	program  *machine.Program
	instance *machine.Instance
}

func (g *carrelGuest) Call(export string, args ...uint64) (uint64, error) {
	results, err := g.instance.Call(export, args...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

func (g *carrelGuest) Memory() []byte { return g.instance.Memory() }

// fuel is what the guest has used so far. Nothing can be called after it.
func (g *carrelGuest) fuel() (uint64, error) {
	outcome := g.instance.Outcome(nil)
	if outcome.Class != turn.Exit {
		return 0, fmt.Errorf("ended as %v: %s", outcome.Class, outcome.Text)
	}
	return outcome.Fuel, nil
}

func (g *carrelGuest) close() {
	_ = g.instance.Close()
	_ = g.program.Close()
}
