package machinetest

import (
	"context"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/machine/page"
)

// A watched engine shows the cell that it made last, and can give guests their
// fuel in slices of another size than the machine does.
type watched struct {
	machine.Engine
	slice uint64 // 0 for the machine's own
	cell  machine.Cell
}

func (w *watched) Compile(ctx context.Context, module *meter.Module) (machine.Code, error) {
	code, err := w.Engine.Compile(ctx, module)
	if err != nil {
		return nil, err
	}
	return watchedCode{code, w, module.RefuelImport()}, nil
}

type watchedCode struct {
	machine.Code
	engine *watched
	refuel int
}

func (c watchedCode) Instantiate(host machine.Host, memory *page.Memory) (machine.Cell, error) {
	if c.engine.slice == 0 {
		cell, err := c.Code.Instantiate(host, memory)
		c.engine.cell = cell
		return cell, err
	}
	s := &stinted{host: host, slice: int64(c.engine.slice), refuel: c.refuel}
	cell, err := c.Code.Instantiate(s, memory)
	if err != nil {
		return nil, err
	}
	s.Cell = cell
	c.engine.cell = s
	return s, nil
}

// A stinted cell gets what the machine grants it in slices of its own. To the
// machine it looks like any other: the counter that it shows is what the guest
// has and what was kept from it.
type stinted struct {
	machine.Cell
	host   machine.Host
	slice  int64
	refuel int
	kept   meter.Counter
}

func (s *stinted) Global(export string) uint64 {
	bits := s.Cell.Global(export)
	if export == meter.CounterGlobal {
		bits += uint64(s.kept)
	}
	return bits
}

func (s *stinted) SetGlobal(export string, bits uint64) {
	if export == meter.CounterGlobal {
		bits = s.keep(meter.Counter(bits), 0)
	}
	s.Cell.SetGlobal(export, bits)
}

func (s *stinted) Import(index int, stack []uint64) error {
	if index != s.refuel {
		return s.host.Import(index, stack)
	}
	counter, owed := meter.Counter(stack[0])+s.kept, meter.Counter(stack[1])
	if (counter - owed).Fuel() < 0 {
		stack[0], s.kept = uint64(counter), 0
		if err := s.host.Import(index, stack); err != nil {
			return err
		}
		counter = meter.Counter(stack[0])
	}
	stack[0] = s.keep(counter, owed)
	return nil
}

// keep keeps from a counter what is more than a slice, of which something is
// owed, and answers the rest.
func (s *stinted) keep(counter, owed meter.Counter) uint64 {
	fuel := (counter - owed).Fuel()
	s.kept = meter.NewCounter(fuel-min(fuel, s.slice), 0)
	return uint64(counter - s.kept)
}
