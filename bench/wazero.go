package main

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"carrel/machine/machinetest/quickjs"
)

// bareWazero is wazero's compiler as it comes: no limits, nothing rewritten.
var bareWazero = subject{"wazero", func(wasm []byte, imports []quickjs.Import) (guest, error) {
	ctx := context.Background()
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler())
	modules := map[string]wazero.HostModuleBuilder{}
	for _, f := range imports {
		if modules[f.Module] == nil {
			modules[f.Module] = runtime.NewHostModuleBuilder(f.Module)
		}
		call := api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) {
			memory, _ := m.Memory().Read(0, m.Memory().Size())
			f.Run(memory, stack)
		})
		modules[f.Module].NewFunctionBuilder().
			WithGoModuleFunction(call, valueTypes(f.Params), valueTypes(f.Results)).Export(f.Name)
	}
	for name, m := range modules {
		if _, err := m.Instantiate(ctx); err != nil {
			return nil, fmt.Errorf("host module %s: %w", name, err)
		}
	}
	instance, err := runtime.Instantiate(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return &wazeroGuest{runtime: runtime, instance: instance, functions: map[string]api.Function{}}, nil
}}

type wazeroGuest struct {
	runtime   wazero.Runtime
	instance  api.Module
	functions map[string]api.Function
	stack     [16]uint64
}

func (g *wazeroGuest) Call(export string, args ...uint64) (uint64, error) {
	f := g.functions[export]
	if f == nil {
		if f = g.instance.ExportedFunction(export); f == nil {
			return 0, fmt.Errorf("no export %q", export)
		}
		g.functions[export] = f
	}
	copy(g.stack[:], args)
	err := f.CallWithStack(context.Background(), g.stack[:])
	return g.stack[0], err
}

func (g *wazeroGuest) Memory() []byte {
	memory, _ := g.instance.Memory().Read(0, g.instance.Memory().Size())
	return memory
}

func (g *wazeroGuest) close() { _ = g.runtime.Close(context.Background()) }
