//go:build wasmtime

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// testLibrary compiles the tests of the C library, by the compiler whose home is
// set already, and runs them on two engines. They are in sources: for each a
// directory, with what it prints in golden files, named for its argument. For C99
// that is what a native build prints.
func testLibrary(t *testing.T, sources string) {
	tests := []struct {
		name  string
		flags string
		runs  map[string]string // arguments: golden file
		ends  map[string]int    // arguments: exit code
	}{
		{"c99", "-std=c99 -O2", map[string]string{"": "c99", "wide": "wide"}, map[string]int{"abort": 134, "assert": 134, "exit": 3}},
		{"posix", "-O2", map[string]string{"": "posix"}, map[string]int{"err": 4, "kill": 134}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(sources, tt.name)
			parts, err := filepath.Glob(filepath.Join(dir, "*.c"))
			if err != nil || len(parts) == 0 {
				t.Fatalf("no sources in %s (%v)", dir, err)
			}
			do := func(want int, args ...string) string {
				t.Helper()
				stdout, stderr, code := carrel(nil, args...)
				if code != want {
					t.Fatalf("carrel %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, stdout, stderr)
				}
				return stdout
			}
			program := tt.name + ".wasm"
			do(0, slices.Concat([]string{"cc", "-Wall", "-Wextra", "-Werror", "-o", program}, strings.Fields(tt.flags), parts)...)
			for args, golden := range tt.runs {
				want, err := os.ReadFile(filepath.Join(dir, golden+".golden"))
				if err != nil {
					t.Fatal(err)
				}
				for _, engine := range []string{"wasmtime", "wazero"} {
					if got := do(0, append([]string{"run", "--engine", engine, program}, strings.Fields(args)...)...); got != string(want) {
						t.Errorf("%s %s on %s does not print %s.golden:\n%s", program, args, engine, golden, got)
					}
				}
			}
			for args, code := range tt.ends {
				do(code, "run", program, args)
			}
		})
	}
}
