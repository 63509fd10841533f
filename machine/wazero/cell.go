package wazero

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"

	"carrel/machine"
	"carrel/machine/page"
	"carrel/turn"
)

// A cell is one instance. It is also the context that its calls are made with,
// so that a host function finds it with one type assertion, and the allocator
// of its own memory.
type cell struct {
	context.Context // nil values and no deadline: see Value

	host      machine.Host
	instance  api.Module
	reserved  *page.Reservation
	memory    []byte
	functions []function
	globals   []global
	unwinding error // of the host, on its way from a host function to Invoke
}

type function struct {
	name string
	call api.Function
	busy bool // entered and not left: it cannot be entered again
}

type global struct {
	name  string
	value api.Global
}

// Value holds nothing: the engine asks for its own options with it, on every
// call.
func (*cell) Value(any) any { return nil }

// unwind is what a host function panics with when the host gave an error. The
// engine passes this type through untouched, without describing the stack.
var unwind = sys.NewExitError(0)

func hostFunc(index int) api.GoFunc {
	return func(ctx context.Context, stack []uint64) {
		c := ctx.(*cell)
		if err := c.host.Import(index, stack); err != nil {
			c.unwinding = err
			panic(unwind)
		}
	}
}

func (c *cell) Invoke(export string, stack []uint64) error {
	n, err := c.enter(export)
	if err != nil {
		return err
	}
	err = c.call(c.functions[n].call, stack)
	c.functions[n].busy = false
	return err
}

// enter finds a function that is not under way, and marks it busy: the engine
// keeps the state of a call in the function, so each level of re-entry needs
// its own. A function holds at least 10 KiB of stack, hence the reuse.
func (c *cell) enter(export string) (int, error) {
	for n := range c.functions {
		if f := &c.functions[n]; !f.busy && f.name == export {
			f.busy = true
			return n, nil
		}
	}
	call := c.instance.ExportedFunction(export)
	if call == nil {
		return 0, fmt.Errorf("no exported function %q", export)
	}
	c.functions = append(c.functions, function{export, call, true})
	return len(c.functions) - 1, nil
}

func (c *cell) call(f api.Function, stack []uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &machine.Trap{Class: turn.Worker, Text: fmt.Sprintf("the engine panicked: %v", p)}
		}
	}()
	err = f.CallWithStack(c, stack)
	switch {
	case err == nil:
		return nil
	case err == error(unwind):
		err, c.unwinding = c.unwinding, nil
		return fmt.Errorf("host: %w", err)
	}
	return trap(err)
}

func (c *cell) Memory() []byte { return c.memory }

func (c *cell) Global(export string) uint64 { return c.global(export).Get() }

func (c *cell) SetGlobal(export string, bits uint64) {
	c.global(export).(api.MutableGlobal).Set(bits)
}

func (c *cell) global(export string) api.Global {
	for i := range c.globals {
		if c.globals[i].name == export {
			return c.globals[i].value
		}
	}
	value := c.instance.ExportedGlobal(export)
	c.globals = append(c.globals, global{export, value})
	return value
}

func (c *cell) Close() error {
	err := c.instance.Close(context.Background())
	c.Free()
	return err
}

// Allocate, Reallocate and Free make a cell the engine's allocator of its one
// memory.

func (c *cell) Allocate(_, _ uint64) experimental.LinearMemory {
	reserved, err := page.Reserve()
	if err != nil {
		panic(err) // Instantiate gives it to its caller
	}
	c.reserved = reserved
	return c
}

func (c *cell) Reallocate(size uint64) []byte {
	c.memory = c.reserved.Sized(size)
	return c.memory
}

func (c *cell) Free() {
	if c.reserved != nil {
		c.reserved.Release()
		c.reserved, c.memory = nil, nil
	}
}
