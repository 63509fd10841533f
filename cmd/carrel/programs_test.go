//go:build wasmtime

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrograms runs programs from npm that nobody here wrote, on a real text:
// each on wasmtime, and its receipt verified on wazero. testdata/npm names
// them; make fetches them.
func TestPrograms(t *testing.T) {
	programs, err := filepath.Abs("../../.cache/programs")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(programs, "complete")); err != nil {
		t.Fatalf("the programs are not there: run make programs (%v)", err)
	}
	demo, err := filepath.Abs("../../examples/demo")
	if err != nil {
		t.Fatal(err)
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(strings.TrimSpace(string(root)), "src/testdata/Isaac.Newton-Opticks.txt")
	t.Setenv("CARREL_HOME", t.TempDir())

	in := func(name string) string { return filepath.Join(programs, name) }
	opticks := []string{"--dir", text + ":/text/opticks.txt", "--dir", demo + ":/demo"}
	for _, test := range []struct {
		name   string
		flags  []string
		args   []string // program and arguments
		stdin  string   // file
		stdout string   // must be in it
	}{
		{"ripgrep", opticks, []string{in("rg.wasm"), "--no-config", "-c", "-w", "Prism", "/text/opticks.txt"}, "", "311\n"},
		{"sqlite", opticks, []string{in("sqlite.wasm"), "-batch"}, filepath.Join(demo, "lines.sql"), "9286 lines, 815 of them empty\n"},
		{"php", opticks, []string{in("php.wasm"), "-q", "/demo/top.php"}, "", "598 colours\n"},
		{"esbuild", nil, []string{in("esbuild.wasm"), "--minify", "--loader=ts"}, filepath.Join(demo, "shade.ts"), "export function shade("},
		{"python", append([]string{"--tar", in("python.tar"), "--dir", t.TempDir() + ":/out:rw"}, opticks...),
			[]string{in("python.wasm"), "/demo/sentences.py"}, "", "red 414, blue 291, yellow 215"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdin := &bytes.Buffer{}
			if test.stdin != "" {
				content, err := os.ReadFile(test.stdin)
				if err != nil {
					t.Fatal(err)
				}
				stdin.Write(content)
			}
			receipt := filepath.Join(t.TempDir(), "receipt.json")
			args := append([]string{"run", "--engine", "wasmtime", "--stats", "--receipt", receipt}, test.flags...)
			stdout, stderr, code := carrel(stdin, append(args, test.args...)...)
			if code != 0 || !strings.Contains(stdout, test.stdout) {
				t.Fatalf("exit code %d, output\n%s\n%s", code, stdout, stderr)
			}
			t.Logf("\n%s", stderr)
			stdout, stderr, code = carrel(nil, "verify", "--engine", "wazero", receipt)
			if code != verifySame {
				t.Fatalf("verify on wazero: exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}
