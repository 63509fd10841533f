package main

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"time"
)

//go:embed js/work.js
var workJS string

// A vm is QuickJS in a guest: npm quickjs-wasi's module, driven as its own
// JavaScript drives it.
type vm struct{ guest guest }

func newVM(g guest) (*vm, error) {
	v := &vm{g}
	if _, err := g.call("_initialize"); err != nil {
		return nil, err
	}
	if failed, err := g.call("qjs_init"); err != nil || failed != 0 {
		return nil, fmt.Errorf("qjs_init: %d, %w", failed, err)
	}
	if _, err := g.call("qjs_set_max_stack_size", 1010<<10); err != nil {
		return nil, err
	}
	_, err := v.eval(workJS)
	return v, err
}

// eval answers the result as a string.
func (v *vm) eval(code string) (string, error) {
	text, err := v.put(code)
	if err != nil {
		return "", err
	}
	file, err := v.put("bench.js")
	if err != nil {
		return "", err
	}
	value, err := v.guest.call("qjs_eval", text, uint64(len(code)), file, 0)
	if err != nil {
		return "", err
	}
	thrown, err := v.guest.call("qjs_is_exception", value)
	if err != nil {
		return "", err
	}
	if thrown != 0 {
		if value, err = v.guest.call("qjs_get_exception"); err != nil {
			return "", err
		}
	}
	result, err := v.text(value)
	if err == nil && thrown != 0 {
		err = fmt.Errorf("the script threw %s", result)
	}
	for _, p := range []uint64{text, file} {
		if _, err := v.guest.call("wasm_free", p); err != nil {
			return "", err
		}
	}
	return result, err
}

// put copies a string into the guest, with a zero after it.
func (v *vm) put(s string) (uint64, error) {
	p, err := v.guest.call("wasm_malloc", uint64(len(s)+1))
	if err != nil || p == 0 {
		return 0, fmt.Errorf("wasm_malloc: %d, %w", p, err)
	}
	memory := v.guest.memory()
	memory[int(p)+copy(memory[p:], s)] = 0
	return p, nil
}

// text is a value as a string; the value is freed.
func (v *vm) text(value uint64) (string, error) {
	length, err := v.guest.call("wasm_malloc", 4)
	if err != nil {
		return "", err
	}
	p, err := v.guest.call("qjs_get_string_len", value, length)
	if err != nil {
		return "", err
	}
	memory := v.guest.memory()
	result := string(memory[p:][:binary.LittleEndian.Uint32(memory[length:])])
	for _, free := range []struct {
		name string
		arg  uint64
	}{{"wasm_free", p}, {"wasm_free", length}, {"qjs_free_value", value}} {
		if _, err := v.guest.call(free.name, free.arg); err != nil {
			return "", err
		}
	}
	return result, nil
}

func (v *vm) contestant(name, script string) contestant {
	return contestant{name, func() (result string, spent time.Duration, err error) {
		spent, err = timed(func() (err error) {
			result, err = v.eval(script)
			return err
		})
		return result, spent, err
	}}
}
