package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"carrel/door/xsnap"
	"carrel/guest/js"
	"carrel/home"
	"carrel/machine/cache"
	"carrel/machine/engines"
	"carrel/machine/image"
	"carrel/npm"
	"carrel/npm/quickjs"
	"carrel/store/images"
)

// An engine is JavaScript whose fresh workers go on from an image that is kept.
type engine struct {
	*js.Engine
	starts *images.Store // of that image
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
	on, err := engines.Open(engines.Auto)
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
	starts, err := images.Open(h.Starts, images.Options{})
	if err != nil {
		return nil, err
	}
	return &engine{found, starts}, nil
}

func readEngine(dir string, stderr io.Writer) ([]byte, error) {
	wasm, err := quickjs.Engine(dir)
	if !errors.Is(err, npm.ErrAbsent) {
		return wasm, err
	}
	fmt.Fprintf(stderr, "xsnap-worker: fetching the engine of JavaScript (%s), 1 MB, once\n", quickjs.Published)
	if err := quickjs.Fetch(context.Background(), dir, ""); err != nil {
		return nil, err
	}
	return quickjs.Engine(dir)
}

// Start starts a fresh worker, from the image that the first one left.
func (e *engine) Start(config js.Config) (*js.Worker, error) {
	img, err := e.starts.Named("start-"+js.StartName(e.Build()), e.Label(), func() (*image.Image, error) { return e.Lockdown(js.Config{}) })
	if err != nil {
		return nil, err
	}
	return e.Restore(img, config)
}
