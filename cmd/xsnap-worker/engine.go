package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"carrel/disk"
	"carrel/door/xsnap"
	"carrel/guest/js"
	"carrel/home"
	"carrel/machine"
	"carrel/machine/cache"
	"carrel/machine/image"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
	"carrel/npm"
	"carrel/npm/quickjs"
)

// An engine is JavaScript whose fresh workers go on from an image that is kept.
type engine struct {
	*js.Engine
	start string // the file of that image
}

// findEngine loads the engine of JavaScript, and fetches it if it is not there.
func findEngine(stderr io.Writer) (xsnap.Engine, error) {
	h, err := home.Find()
	if err != nil {
		return nil, err
	}
	wasm, err := readEngine(quickjs.Dir(h.Tools), stderr)
	if err != nil {
		return nil, err
	}
	build, err := js.Find(wasm)
	if err != nil {
		return nil, err
	}
	on, err := fastest()
	if err != nil {
		return nil, err
	}
	code, err := cache.Open(h.Code, 0)
	if err != nil {
		return nil, err
	}
	program, err := code.Load(context.Background(), on, wasm)
	if err != nil {
		return nil, fmt.Errorf("load the engine of JavaScript: %w", err)
	}
	found, err := js.New(program, build)
	if err != nil {
		return nil, err
	}
	shim := js.Shim()
	return &engine{found, filepath.Join(h.Code, fmt.Sprintf("start-%s-%s", hex.EncodeToString(build.Digest[:8]), hex.EncodeToString(shim[:8])))}, nil
}

func readEngine(dir string, stderr io.Writer) ([]byte, error) {
	wasm, err := quickjs.File(dir)
	if !errors.Is(err, npm.ErrAbsent) {
		return wasm, err
	}
	fmt.Fprintf(stderr, "xsnap-worker: fetching the engine of JavaScript (%s), 1 MB, once\n", quickjs.Published)
	if err := quickjs.Fetch(context.Background(), dir, ""); err != nil {
		return nil, err
	}
	return quickjs.File(dir)
}

// fastest opens the fastest engine that is built in; the result is the same.
func fastest() (machine.Engine, error) {
	on, err := wasmtime.New(wasmtime.Options{Workers: runtime.GOMAXPROCS(0)})
	if errors.Is(err, machine.ErrUnsupported) {
		return wazero.Compiled(wazero.Options{Workers: runtime.GOMAXPROCS(0)})
	}
	return on, err
}

// Start starts a fresh worker, from the image that the first one left. That it
// cannot be read or kept is no error: then the worker starts the longer way.
func (e *engine) Start(config js.Config) (*js.Worker, error) {
	if kept, err := os.ReadFile(e.start); err == nil {
		img, label, err := image.Read(bytes.NewReader(kept), image.Limits{})
		if err == nil && *label == *e.Label() {
			return e.Restore(img, config)
		}
	}
	first, err := e.Engine.Start(js.Config{})
	if err != nil {
		return nil, err
	}
	defer first.Close()
	img, err := first.Snapshot()
	if err != nil {
		return nil, err
	}
	_ = disk.Replace(e.start, func(w io.Writer) error { return image.Store(w, img, e.Label()) })
	return e.Restore(img, config)
}
