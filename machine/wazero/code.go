package wazero

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/machine/page"
)

// instanceConfig runs nothing at instantiation and gives no name, so that
// instances of a program do not clash. Nothing reads the random source, but
// without one wazero seeds its own for each instance: two thirds of the time
// that an instance takes.
var instanceConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions().
	WithRandSource(strings.NewReader(""))

type code struct {
	module   *meter.Module
	runtime  wazero.Runtime
	cache    wazero.CompilationCache // nil if there is none
	compiled wazero.CompiledModule
	imports  context.Context // resolves the imports to our host functions
}

// bind makes the host modules that serve the program's imports. They are shared
// by all its instances: a host function finds its cell in its context.
func (c *code) bind(ctx context.Context) error {
	builders := map[string]wazero.HostModuleBuilder{}
	add := func(index int, module, name string, t meter.FuncType) {
		if builders[module] == nil {
			// Any name will do, and the program's own may be empty.
			builders[module] = c.runtime.NewHostModuleBuilder("host")
		}
		builders[module].NewFunctionBuilder().
			WithGoFunction(hostFunc(index), valueTypes(t.Params), valueTypes(t.Results)).
			Export(name)
	}
	for index, i := range c.module.Imports {
		add(index, i.Module, i.Name, i.Type)
	}
	add(c.module.RefuelImport(), meter.RefuelModule, meter.RefuelName, refuelType)

	hosts := make(map[string]api.Module, len(builders))
	for name, builder := range builders {
		compiled, err := builder.Compile(ctx)
		if err != nil {
			return fmt.Errorf("bind imports of %q: %w", name, err)
		}
		if hosts[name], err = c.runtime.InstantiateModule(ctx, compiled, instanceConfig); err != nil {
			return fmt.Errorf("bind imports of %q: %w", name, err)
		}
	}
	c.imports = experimental.WithImportResolver(context.Background(), func(name string) api.Module { return hosts[name] })
	return nil
}

var refuelType = meter.FuncType{Params: []meter.ValType{meter.I64, meter.I64}, Results: []meter.ValType{meter.I64}}

func valueTypes(types []meter.ValType) []api.ValueType {
	out := make([]api.ValueType, len(types))
	for i, t := range types {
		out[i] = api.ValueType(t) // both are the bytes of the binary format
	}
	return out
}

func (c *code) Guarded() bool { return false }

func (c *code) Instantiate(host machine.Host, memory *page.Memory) (_ machine.Cell, err error) {
	cell := &cell{host: host, layout: layout(c.module.Layout), memory: memory, globals: map[string]api.Global{}}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the engine panicked: %v", p)
		}
	}()
	ctx := experimental.WithMemoryAllocator(c.imports, cell)
	if cell.instance, err = c.runtime.InstantiateModule(ctx, c.compiled, instanceConfig); err != nil {
		return nil, err
	}
	return cell, nil
}

func (c *code) Close() error {
	ctx := context.Background()
	err := c.runtime.Close(ctx)
	if c.cache != nil {
		err = errors.Join(err, c.cache.Close(ctx))
	}
	return err
}
