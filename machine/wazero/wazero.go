// Package wazero puts both engines of wazero behind machine.Engine: the
// compiler ("wazero") and the interpreter ("interpreter").
//
// The compiler is the engine that every build of Carrel has. The interpreter
// is slow and stops at 2,000 frames whatever the program; it is there because
// it shares almost no code with the compiler, so that they can be held against
// each other.
package wazero

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

// Version is the version of wazero that this package is written for.
const Version = "1.12.0"

// features are WebAssembly 2.0 and extended constant expressions. wazero's
// exception handling is wrong in 1.12.0 and stays off.
const features = api.CoreFeaturesV2 | experimental.CoreFeaturesExtendedConst

// Options tune an engine. The zero value is ready to use.
type Options struct {
	// Workers is how many goroutines compile one program; 0 means 1.
	Workers int
}

// Compiled is the engine that compiles to machine code, or
// machine.ErrUnsupported where wazero has no compiler.
func Compiled(opts Options) (machine.Engine, error) {
	if !compilerSupported() {
		return nil, fmt.Errorf("wazero's compiler on this processor: %w", machine.ErrUnsupported)
	}
	return &engine{name: "wazero", config: wazero.NewRuntimeConfigCompiler, opts: opts}, nil
}

// Interpreted is the engine that interprets. It has no limits of platform.
func Interpreted(opts Options) machine.Engine {
	return &engine{name: "interpreter", config: wazero.NewRuntimeConfigInterpreter, opts: opts}
}

// compilerSupported asks wazero whether its compiler runs here; it says no by
// panic.
func compilerSupported() (ok bool) {
	defer func() { ok = recover() == nil }()
	ctx := context.Background()
	_ = wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler()).Close(ctx)
	return
}

// engine makes a runtime for each program, not one for all: a runtime keeps its
// modules in one list under one lock, and a cache of compiled code belongs to a
// runtime. An idle runtime costs a few kilobytes.
type engine struct {
	name   string
	config func() wazero.RuntimeConfig
	opts   Options
}

func (e *engine) Name() string    { return e.name }
func (e *engine) Version() string { return "wazero " + Version }
func (e *engine) Close() error    { return nil }

func (e *engine) Compile(ctx context.Context, module *meter.Module) (machine.Code, error) {
	return e.compile(ctx, module, nil)
}

// CompileIn compiles with the machine code kept in a directory: it is read from
// there if it is found, and written if not. wazero checks what it reads only
// with a CRC: the caller must know that the directory is good.
func (e *engine) CompileIn(ctx context.Context, module *meter.Module, dir string) (machine.Code, error) {
	if e.name == "interpreter" { // it has no machine code to keep
		return e.Compile(ctx, module)
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open code cache: %w", err)
	}
	return e.compile(ctx, module, cache)
}

func (e *engine) compile(ctx context.Context, module *meter.Module, cache wazero.CompilationCache) (_ machine.Code, err error) {
	config := e.config().
		WithCoreFeatures(features).
		WithMemoryLimitPages(turn.MemoryPagesMax).
		WithDebugInfoEnabled(module.Layout.Lines)
	if cache != nil {
		config = config.WithCompilationCache(cache)
	}
	c := &code{module: module, runtime: wazero.NewRuntimeWithConfig(ctx, config), cache: cache}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the engine panicked: %v", p)
		}
		if err != nil {
			_ = c.Close()
		}
	}()
	if err := c.bind(ctx); err != nil {
		return nil, err
	}
	if e.opts.Workers > 1 {
		ctx = experimental.WithCompilationWorkers(ctx, e.opts.Workers)
	}
	if c.compiled, err = c.runtime.CompileModule(ctx, traceable(module)); err != nil {
		return nil, err
	}
	return c, nil
}
