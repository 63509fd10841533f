package wazero

import (
	"context"
	"errors"
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
	layout    layout
	instance  api.Module
	memory    *page.Memory
	functions []function
	entries   int // calls that have not returned
	globals   map[string]api.Global
	unwinding error // of the host, on its way from a host function to Invoke
}

type function struct {
	name string
	call api.Function
	busy bool // entered and not left: it cannot be entered again
}

// Value holds nothing: the engine asks for its own options with it, on every
// call.
func (*cell) Value(any) any { return nil }

// unwind is what a host function panics with when the host gave an error. The
// engine passes this type through untouched, without describing the stack.
var unwind = sys.NewExitError(0)

// unwindTraced is the same, where the stack is to be described.
var unwindTraced = errors.New("the host gave an error")

func hostFunc(index int) api.GoFunc {
	return func(ctx context.Context, stack []uint64) {
		c := ctx.(*cell)
		if err := c.host.Import(index, stack); err != nil {
			c.unwinding = err
			if machine.Traced(err) {
				panic(unwindTraced)
			}
			panic(unwind)
		}
	}
}

func (c *cell) Invoke(export string, stack []uint64) error {
	n, err := c.enter(export)
	if err != nil {
		return err
	}
	c.entries++
	err = c.call(c.functions[n].call, stack)
	c.entries--
	c.functions[n].busy = false
	if c.entries == 0 && len(c.functions) > keptMax {
		clear(c.functions[keptMax:])
		c.functions = c.functions[:keptMax]
	}
	return err
}

// keptMax is how many functions a cell keeps while none is under way. Deep
// re-entry takes many, each with a stack that only grows.
const keptMax = 8

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
	case errors.Is(err, unwindTraced):
		frames := c.layout.frames(err.Error())
		err, c.unwinding = c.unwinding, nil
		return &machine.Unwinding{Err: err, Frames: frames}
	}
	return trap(err, c.layout)
}

func (c *cell) Global(export string) uint64 { return c.global(export).Get() }

func (c *cell) SetGlobal(export string, bits uint64) {
	c.global(export).(api.MutableGlobal).Set(bits)
}

func (c *cell) global(export string) api.Global {
	g, ok := c.globals[export]
	if !ok {
		g = c.instance.ExportedGlobal(export)
		c.globals[export] = g
	}
	return g
}

func (c *cell) Close() error { return c.instance.Close(context.Background()) }

// Allocate, Reallocate and Free make a cell the engine's allocator of its one
// memory. The engine takes the memory at the size it gets, which may be more
// than it asked for.

func (c *cell) Allocate(_, _ uint64) experimental.LinearMemory { return c }

func (c *cell) Reallocate(size uint64) []byte { return c.memory.Grow(size) }

func (c *cell) Free() {}
