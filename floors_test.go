package carrel_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "carrel"

// floors is the import policy of this module, from the ground up: a package
// may import packages of lower floors only, never a neighbour on its own.
//
// Change this table on purpose, in its own commit, never to fix a build.
var floors = []string{
	"home api/nxcc/iface netstring guest/zencode/secret guest/zencode/lines turn tree program/seal program/symbols machine/page machine/machinetest/quickjs",
	"api/nxcc/vm worker/confine socket quantity machine/meter machine/image machine/machinetest/wasmgen program/keys disk",
	"machine api/nxcc/vm/vmconnect",
	"machine/machinetest machine/wazero machine/wasmtime machine/cache store/images guest guest/posix/tar guest/js/bundle npm native egress",
	"machine/engines native/release guest/posix guest/js guest/zencode receipt npm/bundler",
	"receipt/bundle npm/lockdown npm/supervisor npm/quickjs npm/zenroom npm/npmtest guest/zencode/pool",
	"runner",
	"toolchain door/xsnap door/nxcc door/ncr door/zenexec client/xsnap",
	"client/xsnap/xsnaptest",
	"toolchain/daemon",
	"cmd/carrel cmd/nxcc-zenroom-vm cmd/xsnap-worker cmd/zencode-exec cmd/lua-exec bench bench/goja examples/words",
}

// never lists what the packages of a tree may not import: code that must be
// deterministic gets no clock, no files, no network and no chance.
var never = map[string][]string{
	"program": {"os", "net", "time", "math/rand/v2"},
	"turn":    {"os", "net", "time", "math/rand/v2"},
	"receipt": {"os", "net", "time", "math/rand/v2", "crypto/rand"},
	"machine": {"os", "net", "time", "math/rand/v2", "crypto/rand"},
	"guest":   {"os", "net", "time", "math/rand/v2", "crypto/rand"},
	"vat":     {"os", "net", "time", "math/rand/v2"}, // files come from the store, time from the caller
}

// except lists what single packages may import all the same.
var except = map[string][]string{
	"program/keys":        {"os"},           // it is the one place where keys are files
	"machine/machinetest": {"math/rand/v2"}, // of a seed: histories for the laws of images
	"machine/cache":       {"os", "time"},   // files of compiled code, and their age: no guest sees either
}

func TestFloors(t *testing.T) {
	floor := map[string]int{}
	for i, row := range floors {
		for _, pkg := range strings.Fields(row) {
			floor[pkg] = i
		}
	}
	for pkg, imports := range imports(t) {
		mine, ok := floor[pkg]
		if !ok {
			t.Errorf("%s has no floor: add it to floors", pkg)
			continue
		}
		for _, path := range imports {
			if dep, ok := strings.CutPrefix(path, module+"/"); ok && floor[dep] >= mine {
				t.Errorf("%s (floor %d) must not import %s (floor %d)", pkg, mine, dep, floor[dep])
			}
			if banned(pkg, path) {
				t.Errorf("%s must never import %q", pkg, path)
			}
		}
	}
}

func banned(pkg, path string) bool {
	if slices.Contains(except[pkg], path) {
		return false
	}
	for tree, paths := range never {
		if (pkg == tree || strings.HasPrefix(pkg, tree+"/")) && slices.Contains(paths, path) {
			return true
		}
	}
	return false
}

// imports maps each package directory to what its non-test files import.
func imports(t *testing.T) map[string][]string {
	pkgs := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		paths := pkgs[dir]
		for _, spec := range file.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			paths = append(paths, p)
		}
		pkgs[dir] = paths
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return pkgs
}
