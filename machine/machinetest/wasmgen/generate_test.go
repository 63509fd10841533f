package wasmgen_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"carrel/machine/machinetest/wasmgen"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

var dump = flag.String("wasmgen.dump", "", "a directory that the generated modules are written to")

var seeds = flag.Int("wasmgen.seeds", 150, "how many modules to generate for each set of options")

var kinds = map[string]wasmgen.Options{
	"bounded":   {Bounded: true},
	"portable":  {Bounded: true, Portable: true, Hostile: true},
	"unbounded": {},
	"hostile":   {Hostile: true, Nodes: 200, Functions: 10},
	"imageable": {Imageable: true, Bounded: true},
	"trapping":  {Traps: 50},
}

func TestGeneratedModulesAreValid(t *testing.T) {
	ctx := context.Background()
	config := wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst)
	for name, options := range kinds {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(*seeds) {
				runtime := wazero.NewRuntimeWithConfig(ctx, config)
				wasm := wasmgen.Generate(seed, options)
				if *dump != "" {
					file := filepath.Join(*dump, fmt.Sprintf("%s-%d.wasm", name, seed))
					if err := os.WriteFile(file, wasm, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := runtime.CompileModule(ctx, wasm); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if again := wasmgen.Generate(seed, options); !bytes.Equal(wasm, again) {
					t.Fatalf("seed %d gave two different modules", seed)
				}
				runtime.Close(ctx)
			}
		})
	}
}
