//go:build !wasmtime || !cgo

package main

import (
	"time"

	"carrel/machine"
)

func wasmtimeEngine() (machine.Engine, error) { return nil, machine.ErrUnsupported }

var bareWasmtime, fuelledWasmtime *subject

var bareCompiler func(wasm []byte, dir string, args ...string) (func() (string, time.Duration, error), error)
