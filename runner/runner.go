// Package runner runs one turn of a program under the posix guest, from inputs
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
	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

// Load meters and compiles a program, or finds it compiled. A program that the
// machine does not run is a *meter.Refusal; any other error is the host's.
type Load func(ctx context.Context, wasm []byte) (*machine.Program, error)

// A Spec is everything that a program is handed.
type Spec struct {
	Program []byte   // the wasm
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
	Root           bool      // take the root of the image that an exit leaves

	// Keep, if set, is given every file that the program reads in a directory,
	// so that it can be found when the receipt is verified.
	Keep func(digest string, content []byte) error
}

// A Turn is what came of a run.
type Turn struct {
	Outcome turn.Outcome
	// Err is why a turn of class worker failed, if more is known than the text
	// of its outcome: a closed pipe, a file that changed while it was read.
	Err error
	// Writes are what the program leaves behind in mounts that are written
	// back, in the order of mounts. Only after exit 0.
	Writes []Write

	spec         *Spec
	streams      posix.Result
	observations []posix.Observation
}

// Run runs a program to its end. How a program ends, and that it is refused, is
// in the turn; an error means that no turn took place: the spec is not one, or
// the engine could not compile. Cancelling the context stops the program at its
// next safe point, with class stopped.
func Run(ctx context.Context, load Load, spec *Spec) (*Turn, error) {
	t := &Turn{spec: spec}
	program, err := load(ctx, spec.Program)
	if refused(err, &t.Outcome) {
		return t, nil
	} else if err != nil {
		return nil, fmt.Errorf("load program: %w", err)
	}
	defer program.Close()
	system, err := posix.New(spec.config())
	if err != nil {
		return nil, err
	}
	instance, err := program.Instantiate(spec.Limits, posix.Imports())
	if refused(err, &t.Outcome) {
		return t, nil
	} else if err != nil {
		return nil, err
	}
	defer instance.Close()
	defer context.AfterFunc(ctx, instance.Stop)()

	t.Outcome = instance.Outcome(system.Run(instance))
	if spec.Root && t.Outcome.Class == turn.Exit {
		t.Outcome.Root = instance.Root(nil)
	}
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
		Stdin: s.Stdin, StdinLines: s.Lines, Stdout: s.Stdout, Stderr: s.Stderr,
		Blob: s.Keep,
	}
	for _, m := range s.Mounts {
		config.Mounts = append(config.Mounts, m.posix())
	}
	return config
}

// Streams tell what passed through the program's standard streams.
func (t *Turn) Streams() posix.Result { return t.streams }
