// Package npmtest finds for tests what make programs has fetched.
package npmtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"carrel/guest/js"
	"carrel/machine"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
)

// File is the path of a program, below .cache/programs, that must be there.
func File(t testing.TB, name string) string {
	t.Helper()
	return find(t, ".cache/programs/"+name)
}

// Module is the path of a file of a package of testdata/npm.
func Module(t testing.TB, name string) string {
	t.Helper()
	return find(t, "testdata/npm/node_modules/"+name)
}

// Archives is the directory with the packages that the lockdown bundle is made
// of.
func Archives(t testing.TB) string {
	t.Helper()
	return File(t, "npm")
}

func find(t testing.TB, name string) string {
	t.Helper()
	_, self, _, _ := runtime.Caller(0)
	file := filepath.Join(filepath.Dir(self), "../..", filepath.FromSlash(name))
	if _, err := os.Stat(file); err != nil {
		t.Fatalf("%s is not there: run make programs (%v)", name, err)
	}
	return file
}

// Read reads a file.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

var made struct {
	sync.Mutex
	engine *js.Engine
}

// Engine is JavaScript on the fastest engine of this build. It is compiled once.
func Engine(t testing.TB) *js.Engine {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.engine == nil {
		engine, err := compile(Read(t, File(t, "quickjs.wasm")))
		if err != nil {
			t.Fatal(err)
		}
		made.engine = engine
	}
	return made.engine
}

func compile(wasm []byte) (*js.Engine, error) {
	build, err := js.Find(wasm)
	if err != nil {
		return nil, err
	}
	host, err := wasmtime.New(wasmtime.Options{})
	if errors.Is(err, machine.ErrUnsupported) {
		host, err = wazero.Compiled(wazero.Options{Workers: 2})
	}
	if err != nil {
		return nil, err
	}
	program, err := machine.Load(context.Background(), host, wasm)
	if err != nil {
		return nil, err
	}
	return js.New(program, build)
}
