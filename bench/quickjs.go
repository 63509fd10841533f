package main

import (
	_ "embed"
	"time"

	"carrel/machine/machinetest/quickjs"
)

//go:embed js/work.js
var workJS string

// newVM is QuickJS with the functions that it is measured with.
func newVM(g guest) (*quickjs.VM, error) {
	vm, err := quickjs.Start(g)
	if err != nil {
		return nil, err
	}
	_, err = vm.Eval(workJS)
	return vm, err
}

func scriptContestant(name string, vm *quickjs.VM, script string) contestant {
	return contestant{name, func() (result string, spent time.Duration, err error) {
		spent, err = timed(func() (err error) {
			result, err = vm.Eval(script)
			return err
		})
		return result, spent, err
	}}
}
