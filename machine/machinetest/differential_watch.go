package machinetest

import (
	"context"

	"carrel/machine"
	"carrel/machine/meter"
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

func (c watchedCode) Instantiate(host machine.Host) (machine.Cell, error) {
	if c.engine.slice == 0 {
		cell, err := c.Code.Instantiate(host)
		c.engine.cell = cell
		return cell, err
	}
	s := &stinted{host: host, slice: int64(c.engine.slice), refuel: c.refuel}
	cell, err := c.Code.Instantiate(s)
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
	kept   int64
}

func (s *stinted) Global(export string) uint64 {
	bits := s.Cell.Global(export)
	if export == meter.FuelGlobal {
		bits += uint64(s.kept)
	}
	return bits
}

func (s *stinted) SetGlobal(export string, bits uint64) {
	if export == meter.FuelGlobal {
		fuel := min(int64(bits), s.slice)
		s.kept = int64(bits) - fuel
		bits = uint64(fuel)
	}
	s.Cell.SetGlobal(export, bits)
}

func (s *stinted) Import(index int, stack []uint64) error {
	if index != s.refuel {
		return s.host.Import(index, stack)
	}
	fuel, owed := int64(stack[0])+s.kept, int64(stack[1])
	if fuel < owed {
		stack[0], s.kept = uint64(fuel), 0
		if err := s.host.Import(index, stack); err != nil {
			return err
		}
		fuel = int64(stack[0])
	}
	give := min(fuel, max(owed, 0)+s.slice)
	s.kept = fuel - give
	stack[0] = uint64(give)
	return nil
}
