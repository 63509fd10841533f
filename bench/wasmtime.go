//go:build wasmtime && cgo

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/bytecodealliance/wasmtime-go/v39"

	"carrel/machine"
	"carrel/machine/machinetest/quickjs"
	ours "carrel/machine/wasmtime"
)

func wasmtimeEngine() (machine.Engine, error) { return ours.New(ours.Options{}) }

// bareWasmtime is wasmtime as it comes; fuelledWasmtime counts with its own fuel.
var (
	bareWasmtime    = &subject{"wasmtime", loadWasmtime(false)}
	fuelledWasmtime = &subject{"wasmtime, its own fuel", loadWasmtime(true)}
)

// bareCompiler makes a way to run a WASI program on wasmtime as it comes, with a
// directory of the host as its working directory: an instance, and its end.
var bareCompiler = func(wasm []byte, dir string, args ...string) (func() (string, time.Duration, error), error) {
	engine := wasmtime.NewEngine()
	module, err := wasmtime.NewModule(engine, wasm)
	if err != nil {
		return nil, err
	}
	linker := wasmtime.NewLinker(engine)
	if err := linker.DefineWasi(); err != nil {
		return nil, err
	}
	return func() (string, time.Duration, error) {
		start := processTime()
		store := wasmtime.NewStore(engine)
		defer store.Close()
		config := wasmtime.NewWasiConfig()
		config.SetArgv(args)
		config.InheritStderr()
		if err := config.PreopenDir(dir, ".", wasmtime.DIR_READ|wasmtime.DIR_WRITE, wasmtime.FILE_READ|wasmtime.FILE_WRITE); err != nil {
			return "", 0, err
		}
		store.SetWasi(config)
		instance, err := linker.Instantiate(store, module)
		if err != nil {
			return "", 0, err
		}
		_, err = instance.GetFunc(store, "_start").Call(store)
		if exit := (*wasmtime.Error)(nil); errors.As(err, &exit) {
			if code, ok := exit.ExitStatus(); ok && code == 0 {
				err = nil
			}
		}
		return "", processTime() - start, err
	}, nil
}

func loadWasmtime(fuel bool) func([]byte, []quickjs.Import) (guest, error) {
	return func(wasm []byte, imports []quickjs.Import) (guest, error) {
		config := wasmtime.NewConfig()
		config.SetConsumeFuel(fuel)
		engine := wasmtime.NewEngineWithConfig(config)
		store := wasmtime.NewStore(engine)
		if fuel {
			if err := store.SetFuel(1 << 62); err != nil {
				return nil, err
			}
		}
		g := &wasmtimeGuest{store: store, functions: map[string]*wasmtime.Func{}}
		linker := wasmtime.NewLinker(engine)
		for _, f := range imports {
			if err := linker.FuncNew(f.Module, f.Name, funcType(f), g.host(f)); err != nil {
				return nil, err
			}
		}
		module, err := wasmtime.NewModule(engine, wasm)
		if err != nil {
			return nil, err
		}
		if g.instance, err = linker.Instantiate(store, module); err != nil {
			return nil, err
		}
		return g, nil
	}
}

func funcType(f quickjs.Import) *wasmtime.FuncType {
	list := func(short string) (types []*wasmtime.ValType) {
		for _, c := range short {
			kind := wasmtime.KindI32
			if c == 'l' {
				kind = wasmtime.KindI64
			}
			types = append(types, wasmtime.NewValType(kind))
		}
		return types
	}
	return wasmtime.NewFuncType(list(f.Params), list(f.Results))
}

type wasmtimeGuest struct {
	store     *wasmtime.Store
	instance  *wasmtime.Instance
	functions map[string]*wasmtime.Func
}

func (g *wasmtimeGuest) host(f quickjs.Import) func(*wasmtime.Caller, []wasmtime.Val) ([]wasmtime.Val, *wasmtime.Trap) {
	return func(_ *wasmtime.Caller, args []wasmtime.Val) ([]wasmtime.Val, *wasmtime.Trap) {
		var stack [8]uint64
		for i, a := range args {
			if f.Params[i] == 'l' {
				stack[i] = uint64(a.I64())
			} else {
				stack[i] = uint64(uint32(a.I32()))
			}
		}
		f.Run(g.Memory(), stack[:])
		switch f.Results {
		case "i":
			return []wasmtime.Val{wasmtime.ValI32(int32(stack[0]))}, nil
		case "l":
			return []wasmtime.Val{wasmtime.ValI64(int64(stack[0]))}, nil
		}
		return nil, nil
	}
}

func (g *wasmtimeGuest) Call(export string, args ...uint64) (uint64, error) {
	f := g.functions[export]
	if f == nil {
		if f = g.instance.GetFunc(g.store, export); f == nil {
			return 0, fmt.Errorf("no export %q", export)
		}
		g.functions[export] = f
	}
	params := f.Type(g.store).Params()
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = int32(a)
		if params[i].Kind() == wasmtime.KindI64 {
			values[i] = int64(a)
		}
	}
	result, err := f.Call(g.store, values...)
	switch r := result.(type) {
	case int32:
		return uint64(uint32(r)), err
	case int64:
		return uint64(r), err
	}
	return 0, err
}

func (g *wasmtimeGuest) Memory() []byte {
	return g.instance.GetExport(g.store, "memory").Memory().UnsafeData(g.store)
}

func (g *wasmtimeGuest) close() { g.store.Close() }
