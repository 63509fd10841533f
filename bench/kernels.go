package main

import (
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed kernels
var sources embed.FS

// kernels are the C programs, each with the rounds that take about 0.1 s.
var kernels = []struct {
	name   string
	rounds uint64
}{
	{"sha256", 500},
	{"matmul", 10},
	{"nbody", 1000},
	{"qsort", 80},
	{"mandelbrot", 25},
	{"hash", 100},
	{"interp", 500},
	{"fib", 2500},
}

// build compiles the kernels into a directory: natively by gcc, to WebAssembly
// by clang.
func build(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, "kernels")); err != nil {
		return err
	}
	if err := os.CopyFS(dir, sources); err != nil {
		return err
	}
	for _, k := range kernels {
		c := filepath.Join(dir, "kernels", k.name+".c")
		if err := compile("gcc", "-O2", "-o", native(dir, k.name), c, filepath.Join(dir, "kernels", "native.c"), "-lm"); err != nil {
			return err
		}
		if err := compile("clang", "--target=wasm32", "-O2", "-nostdlib", "-fno-builtin", "-Wl,--no-entry",
			"-o", filepath.Join(dir, "kernels", k.name+".wasm"), c); err != nil {
			return err
		}
	}
	return nil
}

func compile(compiler string, args ...string) error {
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", compiler, strings.Join(args, " "), err, out)
	}
	return nil
}

func native(dir, kernel string) string { return filepath.Join(dir, "kernels", kernel) }

// runNative runs a native kernel once: its checksum and processor time.
func runNative(path string, rounds uint64) (sum uint64, spent time.Duration, err error) {
	out, err := exec.Command(path, fmt.Sprint(rounds)).Output()
	if err != nil {
		return 0, 0, fmt.Errorf("run %s: %w", path, err)
	}
	var signed int64
	_, err = fmt.Sscan(string(out), &signed, &spent)
	return uint64(signed), spent, err
}
