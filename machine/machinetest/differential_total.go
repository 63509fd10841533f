package machinetest

import (
	"bytes"
	"fmt"

	"github.com/tetratelabs/wazero"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/turn"
)

// Total checks that a turn costs what its instructions cost, each time one is
// executed: it holds the fuel of the metered module against a count that the
// module makes by itself, one instruction at a time. generate makes the module,
// bounded and portable, without and with wasmgen.Options.Count.
func Total(engine machine.Engine, costs *wasmgen.Costs, generate func(*wasmgen.Costs) []byte) error {
	want, err := original(generate(costs), wazero.NewRuntimeConfig())
	if err != nil {
		return err
	}
	if want.class != turn.Exit || !want.instantiated {
		return nil // it has no total, or none that can be seen
	}
	module, err := meter.Rewrite(generate(nil))
	if err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	r, err := newRunner(engine, module)
	if err != nil {
		return err
	}
	defer r.close()
	got, err := r.run(turn.FuelMax)
	if err != nil {
		return err
	}
	if got.class != want.class || got.fuel != want.fuel {
		return fmt.Errorf("the turn ended with %v and used %d, its instructions cost %d", got.class, got.fuel, want.fuel)
	}
	return nil
}

// total is what an original that counts has used, its host calls included.
func (w *world) total(counted, memory uint64) uint64 {
	return counted + w.calls*meter.HostCallCost + w.charged + memory*meter.PageCost
}

// Costs reads what the meter asks for each instruction, out of what it says
// that functions cost.
func Costs() (*wasmgen.Costs, error) {
	units := map[string]int64{
		"if": 1, "br": 1, "br_if": 1, "br_table": 3, "return": 1, "unreachable": 1,
		"call": 4, "call_indirect": 8, "drop": 1, "select": 1, "select_t": 1,
		"local.get": 1, "local.set": 1, "local.tee": 1, "global.get": 1, "global.set": 1,
		"table.get": 2, "table.set": 2, "ref.null": 1, "ref.is_null": 1,
		"table.grow": 10, "table.fill": 10,
		"nop": 0, "block": 0, "loop": 0, "else": 0, "end": 0,
	}
	enter := func(locals int) int64 { return 2 + int64(locals/4) }
	for _, in := range wasmgen.Instrs {
		if _, ok := units[in.Name]; ok {
			continue
		}
		if !in.Fixed {
			return nil, fmt.Errorf("the cost of %s is not known", in.Name)
		}
		m := wasmgen.NewModule()
		m.Memory(1, 1)
		m.Table(wasmgen.FuncRef, 1, 1)
		m.DataPassive(nil)
		m.ElemPassive(0)
		f := m.Func(in.Params, in.Results)
		for i := range in.Params {
			f.Op("local.get", int64(i))
		}
		f.Op(in.Name)
		module, err := meter.Rewrite(m.Bytes())
		if err != nil {
			return nil, fmt.Errorf("rewrite %s: %w", in.Name, err)
		}
		units[in.Name] = int64(module.Functions[0].Cost) - int64(len(in.Params)) - enter(len(in.Params))
	}
	return &wasmgen.Costs{
		Instr:      func(name string) int64 { return units[name] },
		Enter:      enter,
		Page:       meter.GrowCost,
		BytesShift: 3,
		PagesLimit: pagesLimit,
	}, nil
}

// pages is how many pages of memory the end of the turn is charged for.
func pages(memory []byte) (n uint64) {
	for ; len(memory) > 0; memory = memory[page.Size:] {
		if !bytes.Equal(memory[:page.Size], make([]byte, page.Size)) {
			n++
		}
	}
	return n
}
