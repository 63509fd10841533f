package machinetest_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"carrel/machine/machinetest"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
)

// FuzzDecode gives arbitrary bytes to the meter: it refuses them or makes a
// module that is valid. The same bytes give the same module.
func FuzzDecode(f *testing.F) {
	f.Add(wasmgen.Header)
	for seed := range uint64(20) {
		f.Add(wasmgen.Generate(seed, wasmgen.Options{Functions: 2, Nodes: 10, Depth: 3, Hostile: seed%4 == 0}))
	}
	config := wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst)
	f.Fuzz(func(t *testing.T, wasm []byte) {
		before := bytes.Clone(wasm)
		module, err := meter.Rewrite(wasm)
		if !bytes.Equal(wasm, before) {
			t.Fatal("the meter changed what it was given")
		}
		if err != nil {
			if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
				t.Fatalf("an error that is no refusal: %v", err)
			} else if refusal.Offset < 0 || refusal.Offset > len(wasm) {
				t.Fatalf("an offset outside of the program's %d bytes: %v", len(wasm), err)
			}
			return
		}
		again, err := meter.Rewrite(wasm)
		if err != nil || !bytes.Equal(module.Wasm, again.Wasm) {
			t.Fatalf("the same bytes gave another module, %v", err)
		}
		if module.Memory != nil && module.Memory.Min > 1000 {
			return // a compiler may reserve it
		}
		ctx := context.Background()
		runtime := wazero.NewRuntimeWithConfig(ctx, config)
		defer runtime.Close(ctx)
		if _, err := runtime.CompileModule(ctx, module.Wasm); err != nil {
			t.Fatalf("the rewritten module is not valid: %v", err)
		}
	})
}

// FuzzRewrite makes modules out of the fuzzer's bytes, and holds them on all
// engines against each other and against themselves before rewriting.
func FuzzRewrite(f *testing.F) {
	all := engines(f)
	for seed := range byte(10) {
		entropy := make([]byte, 400)
		for i := range entropy {
			entropy[i] = byte(i)*(2*seed+1) + seed*byte(i>>5)
		}
		f.Add(seed%2 == 0, entropy)
	}
	f.Fuzz(func(t *testing.T, hostile bool, entropy []byte) {
		wasm := wasmgen.GenerateFrom(entropy, wasmgen.Options{Bounded: true, Portable: true, Hostile: hostile, Traps: 10})
		if err := machinetest.Original(wasm, all[0]); err != nil {
			t.Fatal(err)
		}
		machinetest.Same(t, wasm, all...)
	})
}
