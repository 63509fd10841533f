// Package runner runs one turn of a program, under the posix guest or as a script
// of JavaScript, Zencode or Lua, from inputs
// that a person gave or from inputs that a receipt names. Both take the same
// way through the same code: a receipt is verified by doing again exactly what
// was done.
//
// It knows neither files nor clocks nor engines: whoever runs a program hands
// in readers, trees and a way to load code.
package runner

import (
	"context"
	"errors"
	"fmt"
	"io"

	"carrel/guest/posix"
	"carrel/guest/zencode"
	"carrel/machine"
	"carrel/machine/image"
	"carrel/machine/meter"
	"carrel/receipt"
	"carrel/turn"
)

// Load meters and compiles a program, or finds it compiled. A program that the
// machine does not run is a *meter.Refusal; any other error is the host's.
type Load func(ctx context.Context, wasm []byte) (*machine.Program, error)

// A Spec is everything that a program is handed.
type Spec struct {
	Program []byte   // the wasm
	Script  *Script  // what the wasm runs, if it is an engine of JavaScript; else nil
	Zencode *Zencode // what the wasm runs, if it is Zenroom; else nil
	Args    []string // argv, the program's own name first
	Env     []string // NAME=value, in the order the program sees
	Start   uint64   // of the clock, nanoseconds since 1970
	Clock   posix.Clock
	Seed    []byte // of the random stream
	Limits  turn.Limits

	Stdin          io.Reader // nil is empty
	Lines          bool      // a read of standard input ends after a line, as on a terminal
	Stdout, Stderr io.Writer // nil discards
	Mounts         []Mount   // the program's descriptors from 3 on
	Cwd            string    // where relative paths begin, an absolute path in the mount at "/"; "" is nowhere
	Root           bool      // take the root of the image that an exit leaves

	// From is the image that the program goes on from, nil if it begins.
	From *From
	// Call is the exported function to call; nil is the program's entry point:
	// _start, or else _initialize. A reactor that begins is initialised first.
	Call *Call
	// Image asks for the image that exit 0 leaves. A program that is not
	// imageable is an error then.
	Image bool

	// Calls, if set, is told each call of an import: see posix.TraceCalls.
	Calls io.Writer

	// Keep, if set, is given every file that the program reads in a directory,
	// so that it can be found when the receipt is verified.
	Keep func(digest string, content []byte) error
}

// From is an image, and the file that it came in.
type From struct {
	Image *image.Image
	File  receipt.Blob
}

// A Call names an exported function, and its arguments as texts: numbers, with
// their types before them or without ("i32:5", "5").
type Call struct {
	Export string
	Args   []string
}

// ErrCall reports a call that the program cannot be asked for.
var ErrCall = errors.New("cannot make the call")

// A Turn is what came of a run.
type Turn struct {
	Outcome turn.Outcome
	// Err is why a turn of class worker failed, if more is known than the text
	// of its outcome: a closed pipe, a file that changed while it was read.
	Err error
	// Writes are what the program leaves behind in mounts that are written
	// back, in the order of mounts. Only after exit 0.
	Writes []Write
	// Returned is what the function of Spec.Call returned, as texts.
	Returned []string
	// Image is the image that was asked for. Only after exit 0.
	Image *image.Image

	// Over tells of a script of Zencode that was stopped by its caps.
	Over zencode.Over

	spec         *Spec
	secrets      []receipt.Secret // that it was handed
	args         []string         // of the call, with types
	streams      posix.Result
	module       *meter.Module
	frames       []machine.Frame
	observations []posix.Observation
}

// Run runs a program to its end. How a program ends, and that it is refused, is
// in the turn; an error means that no turn took place: the spec is not one, or
// the engine could not compile. Cancelling the context stops the program at its
// next safe point, with class stopped.
func Run(ctx context.Context, load Load, spec *Spec) (*Turn, error) {
	t := &Turn{spec: spec}
	if spec.Script != nil {
		return t.runScript(ctx, load)
	}
	if spec.Zencode != nil {
		return t.runZencode(ctx, load)
	}
	program, err := load(ctx, spec.Program)
	if refused(err, &t.Outcome) {
		return t, nil
	} else if err != nil {
		return nil, fmt.Errorf("load program: %w", err)
	}
	defer program.Close()
	if err := t.prepare(program); err != nil {
		return nil, err
	}
	system, err := posix.New(spec.config())
	if err != nil {
		return nil, err
	}
	instance, err := t.instance(program)
	if refused(err, &t.Outcome) {
		return t, nil
	} else if err != nil {
		return nil, err
	}
	defer instance.Close()
	if spec.Calls != nil {
		posix.TraceCalls(spec.Calls, instance, program.Module.Imports)
	}
	defer context.AfterFunc(ctx, instance.Stop)()

	t.Outcome = instance.Outcome(t.enter(system, instance, program.Module))
	if t.Outcome.Class == turn.Exit {
		if spec.Root {
			t.Outcome.Root = instance.Root(system.Host())
		}
		if spec.Image && t.Outcome.Code == 0 {
			if t.Image, err = instance.Commit(system.Host()); err != nil {
				return nil, err
			}
		}
	} else {
		t.Returned = nil
	}
	t.module, t.frames = program.Module, instance.Trace()
	t.Err = system.Err()
	t.streams = system.Result()
	if t.Outcome.Class == turn.Refused {
		t.Outcome.Fuel = 0
	}
	if t.Outcome.Class.Result() {
		err = t.settle(system)
	}
	return t, err
}

// prepare checks that the program can be asked for what it is asked for.
func (t *Turn) prepare(program *machine.Program) error {
	if t.spec.Image || t.spec.From != nil {
		if err := program.Imageable(); err != nil {
			return err
		}
	}
	call := t.spec.Call
	if call == nil {
		if t.spec.From != nil {
			return fmt.Errorf("%w: a program that goes on from an image must be told which function to call", ErrCall)
		}
		return nil
	}
	export, ok := program.Module.Export(call.Export)
	if !ok || export.Kind != meter.KindFunc {
		return fmt.Errorf("%w: the program exports no function %q; carrel inspect lists what it exports", ErrCall, call.Export)
	}
	args, err := parseValues(export.Type.Params, call.Args)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCall, call.Export, err)
	}
	t.args = formatValues(export.Type.Params, args)
	return nil
}

func (t *Turn) instance(program *machine.Program) (*machine.Instance, error) {
	if t.spec.From != nil {
		return program.Restore(t.spec.From.Image, t.spec.Limits, posix.Imports())
	}
	return program.Instantiate(t.spec.Limits, posix.Imports())
}

// enter calls what the spec says.
func (t *Turn) enter(system *posix.System, instance *machine.Instance, module *meter.Module) error {
	has := func(name string) bool {
		e, ok := module.Export(name)
		return ok && e.Kind == meter.KindFunc
	}
	call := t.spec.Call
	if call == nil {
		switch {
		case has(posix.Start):
			return system.Run(instance)
		case has(posix.Initialize):
			_, err := system.Call(instance, posix.Initialize)
			return err
		}
		return &machine.Fault{Class: turn.Refused, Text: "it exports neither _start nor _initialize, and no function to call was named (--call)"}
	}
	if t.spec.From == nil && has(posix.Initialize) && call.Export != posix.Initialize {
		if _, err := system.Call(instance, posix.Initialize); err != nil {
			return err
		}
	}
	export, _ := module.Export(call.Export)
	args, err := parseValues(export.Type.Params, t.args)
	if err != nil {
		return err
	}
	results, err := system.Call(instance, call.Export, args...)
	if err == nil {
		t.Returned = formatValues(export.Type.Results, results)
	}
	return err
}

// settle collects what the program learnt and what it leaves behind.
func (t *Turn) settle(system *posix.System) error {
	if t.Outcome.Class == turn.Exit && t.Outcome.Code == 0 {
		var err error
		if t.Writes, err = writes(t.spec.Mounts, system); err != nil {
			return fmt.Errorf("collect what the program wrote: %w", err)
		}
	}
	t.observations = system.Observations()
	return nil
}

// refused reports whether err says that the machine does not run a program, and
// fills in the outcome. Nothing ran, so nothing was used.
func refused(err error, outcome *turn.Outcome) bool {
	refusal := (*meter.Refusal)(nil)
	if !errors.As(err, &refusal) {
		return false
	}
	*outcome = turn.Outcome{Class: turn.Refused, Text: refusal.Error()}
	return true
}

func (s *Spec) config() posix.Config {
	config := posix.Config{
		Args: s.Args, Env: s.Env, Start: s.Start, Clock: s.Clock, Seed: s.Seed,
		Cwd: s.Cwd, Stdin: s.Stdin, StdinLines: s.Lines, Stdout: s.Stdout, Stderr: s.Stderr,
		Blob: s.Keep,
	}
	if s.From != nil {
		config.Host = s.From.Image.Host
	}
	for _, m := range s.Mounts {
		config.Mounts = append(config.Mounts, m.posix())
	}
	return config
}

// Streams tell what passed through the program's standard streams.
func (t *Turn) Streams() posix.Result { return t.streams }
