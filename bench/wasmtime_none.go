//go:build !wasmtime || !cgo

package main

import "carrel/machine"

func wasmtimeEngine() (machine.Engine, error) { return nil, machine.ErrUnsupported }

var bareWasmtime, fuelledWasmtime *subject
