package machinetest_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/machine/machinetest"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
)

var (
	seeds  = flag.Uint64("differential.seeds", 60, "how many modules of each kind to run on all engines")
	first  = flag.Uint64("differential.first", 0, "the first seed")
	kind   = flag.String("differential.kind", "", "generate modules of one kind only")
	csmith = flag.String("differential.csmith", "", "a directory with modules and checksums of csmith programs: see scripts/csmith")
	save   = flag.String("differential.save", "", "a directory for modules that fail, as generated and as small as they get")
)

// kinds are the options that modules are generated with.
var kinds = []struct {
	name    string
	options wasmgen.Options
}{
	{"bounded", wasmgen.Options{Bounded: true}},
	{"unbounded", wasmgen.Options{}},
	{"hostile", wasmgen.Options{Bounded: true, Hostile: true, Nodes: 150, Functions: 10}},
	{"trapping", wasmgen.Options{Bounded: true, Traps: 30}},
	{"endless", wasmgen.Options{Hostile: true, Nodes: 100}},
	{"imageable", wasmgen.Options{Bounded: true, Imageable: true}},
	{"hostile and imageable", wasmgen.Options{Bounded: true, Hostile: true, Imageable: true, Traps: 10, Nodes: 100}},
	{"portable", wasmgen.Options{Bounded: true, Portable: true}},
	{"rough", wasmgen.Options{Bounded: true, Portable: true, Hostile: true, Traps: 20, Nodes: 100}},
}

// TestNaNs holds modules that leave their NaNs to the meter against the same
// modules that make them canonical by themselves.
func TestNaNs(t *testing.T) {
	all := engines(t)
	for _, k := range kinds {
		if !k.options.Portable || *kind != "" && *kind != k.name {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for seed := *first; seed < *first+2**seeds; seed++ {
				options := k.options
				options.Quiet = true
				mended := wasmgen.Generate(seed, options)
				options.Raw = true
				raw := wasmgen.Generate(seed, options)
				for _, engine := range all {
					if engine.Name() == "interpreter" {
						continue
					}
					if err := machinetest.Mended(mended, raw, engine); err != nil {
						t.Fatalf("seed %d on %s: %v", seed, engine.Name(), err)
					}
				}
			}
		})
	}
}

// TestTotal holds the fuel of turns against a count of their instructions.
func TestTotal(t *testing.T) {
	engine := engines(t)[0]
	costs, err := machinetest.Costs()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range kinds {
		if !k.options.Portable || *kind != "" && *kind != k.name {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for seed := *first; seed < *first+*seeds; seed++ {
				err := machinetest.Total(engine, costs, func(costs *wasmgen.Costs) []byte {
					options := k.options
					options.Count = costs
					return wasmgen.Generate(seed, options)
				})
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}

// TestDifferential runs generated modules on all engines, and the portable ones
// against themselves as they were before rewriting.
func TestDifferential(t *testing.T) {
	all := engines(t)
	for _, k := range kinds {
		if *kind != "" && *kind != k.name {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			check := func(wasm []byte) error {
				if k.options.Portable {
					if err := machinetest.Original(wasm, all[0]); err != nil {
						return err
					}
				}
				return machinetest.Compare(wasm, all...)
			}
			failed := 0
			for seed := *first; seed < *first+*seeds && failed < 5; seed++ {
				wasm := wasmgen.Generate(seed, k.options)
				err := check(wasm)
				if err == nil {
					continue
				}
				failed++
				t.Errorf("seed %d: %v\nagain: go test ./machine/machinetest -run TestDifferential -differential.kind=%s -differential.first=%d -differential.seeds=1", seed, err, k.name, seed)
				if *save != "" {
					same := func(wasm []byte) bool {
						got := check(wasm)
						return got != nil && difference(got) == difference(err)
					}
					keep(t, fmt.Sprintf("%s-%d.wasm", k.name, seed), wasm)
					keep(t, fmt.Sprintf("%s-%d-small.wasm", k.name, seed), wasmgen.Shrink(seed, k.options, same))
				}
			}
		})
	}
}

// difference is what kind of difference an error is, so that shrinking does not
// slip from one to another.
func difference(err error) string {
	if refusal := (*meter.Refusal)(nil); errors.As(err, &refusal) {
		return refusal.Reason
	}
	text := err.Error()
	return text[:min(len(text), 40)]
}

func keep(t *testing.T, name string, wasm []byte) {
	if err := os.WriteFile(filepath.Join(*save, name), wasm, 0o644); err != nil {
		t.Error(err)
	}
}

// TestCsmith runs C programs that scripts/csmith made, and holds their checksums
// against those of the native programs.
func TestCsmith(t *testing.T) {
	if *csmith == "" {
		t.Skip("scripts/csmith makes programs and runs this test on them")
	}
	const limit = 50_000_000
	all := engines(t)
	files, err := filepath.Glob(filepath.Join(*csmith, "*.wasm"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no modules in %s: %v", *csmith, err)
	}
	ended := 0
	for _, file := range files {
		wasm, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := os.ReadFile(strings.TrimSuffix(file, ".wasm") + ".sum")
		if err != nil {
			t.Fatal(err)
		}
		results, err := machinetest.CompareWithin(limit, wasm, all...)
		switch {
		case err != nil:
			t.Errorf("%s: %v", file, err)
		case results == nil:
			// It takes more than the limit: it was compared up to there.
		default:
			ended++
			if got := fmt.Sprintf("%X", results[0][0]); got != strings.TrimSpace(string(sum)) {
				t.Errorf("%s: checksum %s, the native program gives %s", file, got, sum)
			}
			if err := machinetest.Original(wasm, all[0]); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
	t.Logf("%d programs, %d of them within %d units of fuel", len(files), ended, limit)
}

// TestImages holds the laws of images against generated modules.
func TestImages(t *testing.T) {
	all := engines(t)
	for _, k := range kinds {
		if !k.options.Imageable || *kind != "" && *kind != k.name {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			for seed := *first; seed < *first+*seeds; seed++ {
				if err := machinetest.Images(wasmgen.Generate(seed, k.options), seed, all...); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		})
	}
}
