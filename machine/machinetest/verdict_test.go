//go:build wasmtime

package machinetest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/bytecodealliance/wasmtime-go/v39"

	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
)

// TestVerdicts breaks generated modules, and holds the meter's verdict against
// that of wasmtime: what the meter accepts is valid before and after rewriting,
// and what it refuses is not valid, or over a limit.
func TestVerdicts(t *testing.T) {
	config := wasmtime.NewConfig()
	config.SetWasmRelaxedSIMD(false)
	config.SetWasmMultiMemory(false)
	config.SetWasmMemory64(false)
	config.SetWasmThreads(false)
	config.SetWasmTailCall(false)
	config.SetWasmFunctionReferences(false)
	config.SetWasmGC(false)
	config.SetWasmWideArithmetic(false)
	engine := wasmtime.NewEngineWithConfig(config)

	accepted, refused := 0, 0
	for seed := *first; seed < *first+40**seeds; seed++ {
		wasm := mutant(seed)
		module, err := rewrite(wasm)
		valid := wasmtime.ModuleValidate(engine, wasm)
		var wrong string
		switch refusal := (*meter.Refusal)(nil); {
		case err == nil && valid != nil:
			wrong = fmt.Sprintf("accepted, but not valid: %s", firstLine(valid))
		case err == nil:
			accepted++
			if err := wasmtime.ModuleValidate(engine, module.Wasm); err != nil {
				wrong = fmt.Sprintf("not valid after rewriting: %s", firstLine(err))
			}
		case !errors.As(err, &refusal):
			wrong = fmt.Sprintf("an error that is no refusal: %v", err)
		case valid == nil && !overLimit(refusal):
			wrong = fmt.Sprintf("valid, but refused: %v", err)
		default:
			refused++
		}
		if wrong != "" {
			t.Errorf("seed %d: %s", seed, wrong)
			if *save != "" {
				keep(t, fmt.Sprintf("verdict-%d.wasm", seed), wasm)
			}
		}
	}
	t.Logf("%d accepted, %d refused", accepted, refused)
}

// firstLine is an error of wasmtime without its stack.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// rewrite is meter.Rewrite with a panic as an error.
func rewrite(wasm []byte) (module *meter.Module, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return meter.Rewrite(wasm)
}

// overLimit reports whether a refusal is for one of the machine's own rules.
func overLimit(r *meter.Refusal) bool {
	for _, words := range []string{"limit", "more than", "at most", "carrel:", "only functions can be imported", " and as "} {
		if strings.Contains(r.Reason, words) {
			return true
		}
	}
	return false
}

// mutant is a generated module with some bytes changed, left out or added.
func mutant(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	interesting := []byte{0, 1, 0x7f, 0x7e, 0x7d, 0x7c, 0x7b, 0x70, 0x6f, 0x40, 0x80, 0xff, 0x0b, 0x05, 0x1a, 0x1b, 0xfc, 0xfd, 0x20, 0x41}
	wasm := wasmgen.Generate(r.Uint64N(3000), wasmgen.Options{Functions: 2, Nodes: 12, Depth: 4, Hostile: r.IntN(8) == 0})
	for range 1 + r.IntN(3) {
		i := r.IntN(len(wasm))
		if r.IntN(3) > 0 { // mostly in code
			i = max(8, len(wasm)-1-r.IntN(min(len(wasm)-8, 500)))
		}
		switch r.IntN(6) {
		case 0:
			wasm[i] ^= 1 << r.IntN(8)
		case 1:
			wasm[i] = byte(r.IntN(256))
		case 2:
			wasm[i] = interesting[r.IntN(len(interesting))]
		case 3:
			wasm[i] = wasm[r.IntN(len(wasm))]
		case 4:
			wasm = append(wasm[:i:i], wasm[i+1:]...)
		case 5:
			wasm = append(wasm[:i:i], append([]byte{byte(r.IntN(256))}, wasm[i:]...)...)
		}
	}
	return wasm
}
