package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/machine"
	"carrel/machine/cache"
	"carrel/program/seal"
	"carrel/runner"
	"carrel/store/images"
	"carrel/turn"
)

const (
	// stopGrace is how long a program that was told to stop may take to reach
	// a safe point, before it is abandoned with the process.
	stopGrace = time.Second
	// progressAfter is how long compiling may take before it is mentioned.
	progressAfter = time.Second
)

var (
	errTimeout   = errors.New("--timeout is over")
	errInterrupt = errors.New("interrupted")
)

// run runs the program, writes back what it changed, writes the receipt, and
// says how it ended.
func (f *runFlags) run(cmd *cobra.Command, name string, spec *runner.Spec) error {
	file, mounted := name, &handed{}
	var err error
	switch {
	case isZencode(name):
		if err := errors.Join(f.checkZencode(spec), f.worker.absent()); err != nil {
			return err
		}
		file, err = "", f.loadZencode(cmd, name, spec)
	case isScript(name):
		if err := errors.Join(f.checkScript(), f.zencode.absent(), f.worker.absent()); err != nil {
			return err
		}
		file, err = loadScript(cmd, name, spec)
	default:
		if err := errors.Join(f.zencode.absent(), f.worker.absent()); err != nil {
			return err
		}
		if spec.Program, err = readProgram(name); err != nil {
			return err
		}
		mounted, err = openMounts(f.dirs, f.tars)
	}
	if err != nil {
		return err
	}
	engine, err := f.engine.open()
	if err != nil {
		return errors.Join(err, mounted.Close())
	}
	spec.Mounts = mounted.mounts
	spec.Lines = isTerminal(cmd.InOrStdin())
	spec.Stdin, spec.Stdout, spec.Stderr = cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	if f.trace == traceCalls {
		spec.Calls = cmd.ErrOrStderr()
	}

	run := &sitting{flags: f, cmd: cmd, name: name, file: file, spec: spec, engine: engine, handed: mounted, started: time.Now()}
	defer run.close()
	if f.receipt != "" {
		if err := run.prepareReceipt(); err != nil {
			return err
		}
	}
	if f.from != "" {
		if err := run.goOn(); err != nil {
			return err
		}
	}
	if f.imageOut != "" {
		if err := writable(f.imageOut); err != nil {
			return fmt.Errorf("--image-out: %w", err)
		}
	}
	err = run.execute()
	if f.stats && run.turn != nil {
		err = errors.Join(run.printStats(err), err)
	}
	return err
}

// A sitting is one run of a program, from the command line to its traces on
// this host.
type sitting struct {
	flags   *runFlags
	cmd     *cobra.Command
	name    string // of the program, as it was given
	file    string // of what the machine runs; empty if that is built in
	spec    *runner.Spec
	engine  machine.Engine
	handed  *handed
	keep    *keepsake // what must be kept for the receipt; nil without one
	key     seal.PrivateKey
	store   *images.Store // that --from is mapped from; nil if it is not
	started time.Time

	turn      *runner.Turn   // nil until it has ended
	trace     []runner.Frame // where it was, if that was not its own end
	abandoned bool           // it has not, and may go on while this process ends
	wall      time.Duration
	signed    string // key id, once the receipt is written
}

// close releases what the program used, but not under a program that was
// abandoned.
func (s *sitting) close() {
	if s.keep != nil {
		s.keep.Close()
	}
	if !s.abandoned {
		s.handed.Close()
		s.engine.Close()
	}
}

func (s *sitting) execute() error {
	ctx, stop := s.stops()
	defer stop()
	var err error
	s.turn, err = s.await(ctx)
	s.wall = time.Since(s.started)
	if err != nil {
		return s.unsuited(err)
	}
	s.trace = s.turn.Trace()
	if !s.turn.Outcome.Class.Result() {
		if err := s.discard(); err != nil {
			return err
		}
		return s.unfinished(ctx)
	}
	if err := s.handed.writeBack(s.turn.Writes); err != nil {
		return err
	}
	if err := s.writeImage(); err != nil {
		return err
	}
	if err := s.printReturned(); err != nil {
		return err
	}
	if s.flags.receipt != "" {
		if err := s.writeReceipt(); err != nil {
			return err
		}
	}
	return s.verdict()
}

// stops makes the context that stops the program: --timeout, or an interrupt.
// A second interrupt kills this process.
func (s *sitting) stops() (context.Context, context.CancelFunc) {
	ctx, release := interrupted(s.cmd.Context())
	if s.flags.timeout > 0 {
		timed, stop := context.WithTimeoutCause(ctx, s.flags.timeout, errTimeout)
		return timed, func() { stop(); release() }
	}
	return ctx, release
}

// interrupted makes a context that an interrupt cancels. A second one kills this
// process.
func interrupted(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			cancel(errInterrupt)
		case <-ctx.Done():
		}
		signal.Stop(signals)
	}()
	return ctx, func() { cancel(nil) }
}

// await runs the program and waits for its end, or for a while longer after it
// was told to stop: an engine that compiles, or fills gigabytes, has no safe
// point, and a program may wait for input that never comes.
func (s *sitting) await(ctx context.Context) (*runner.Turn, error) {
	t, err := await(ctx, func() (*runner.Turn, error) { return runner.Run(ctx, s.load, s.spec) })
	switch {
	case errors.Is(err, errAbandoned):
		s.abandoned = true
		return &runner.Turn{Outcome: turn.Outcome{Class: turn.Stopped}}, nil
	case errors.As(err, new(*bugError)):
		err = fmt.Errorf("%s: %w", s.name, err)
	}
	return t, err
}

// errAbandoned reports work that goes on while this process ends.
var errAbandoned = errors.New("told to stop, and did not")

// A bugError is a panic, and where it was.
type bugError struct {
	panicked any
	stack    []byte
}

func (e *bugError) Error() string {
	return fmt.Sprintf("internal error, which is a bug of carrel: %v\n%s", e.panicked, e.stack)
}

// await does work, and waits for its end, or no longer than stopGrace after it was
// told to stop: errAbandoned then.
func await[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type ending struct {
		result T
		err    error
	}
	end := make(chan ending, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				end <- ending{err: &bugError{p, debug.Stack()}}
			}
		}()
		result, err := work()
		end <- ending{result, err}
	}()
	var grace <-chan time.Time
	stop := ctx.Done()
	for {
		select {
		case e := <-end:
			return e.result, e.err
		case <-stop:
			stop, grace = nil, time.After(stopGrace)
		case <-grace:
			var none T
			return none, errAbandoned
		}
	}
}

// load is a runner.Load: from the cache of compiled code if there can be one.
func (s *sitting) load(ctx context.Context, wasm []byte) (*machine.Program, error) {
	return loadProgram(ctx, s.engine, wasm, s.cmd)
}

func loadProgram(ctx context.Context, engine machine.Engine, wasm []byte, cmd *cobra.Command) (*machine.Program, error) {
	if stderr := cmd.ErrOrStderr(); isTerminal(stderr) {
		defer showProgress(stderr, engine, len(wasm))()
	}
	if h, err := home.Find(); err == nil {
		if code, err := cache.Open(h.Code, 0); err == nil {
			return code.Load(ctx, engine, wasm)
		}
	}
	return machine.Load(ctx, engine, wasm)
}

// compilePerMiB is about what compiling a MiB of program takes of one processor.
const compilePerMiB = 1600 * time.Millisecond

// showProgress says that a program is being compiled, and for how long, until done
// is called; nothing if that is soon.
func showProgress(stderr io.Writer, engine machine.Engine, bytes int) (done func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		started, tick := time.Now(), time.NewTicker(progressAfter)
		defer tick.Stop()
		guess := time.Duration(float64(bytes) / (1 << 20) * float64(compilePerMiB) / float64(runtime.GOMAXPROCS(0)))
		for said := false; ; said = true {
			select {
			case <-tick.C:
				fmt.Fprintf(stderr, "\rcarrel: compiling %s of program for %s, once: %v of about %v",
					bytesOf(uint64(bytes)), engine.Name(), time.Since(started).Round(time.Second), max(guess, time.Second).Round(time.Second))
			case <-end:
				if said {
					fmt.Fprintln(stderr)
				}
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// unfinished is how a turn that is no result ends this process.
func (s *sitting) unfinished(ctx context.Context) error {
	note := ""
	if s.flags.receipt != "" {
		note = "; no receipt: this is not a result"
	}
	if s.turn.Outcome.Class == turn.Stopped {
		if errors.Is(context.Cause(ctx), errInterrupt) {
			return failf(exitInterrupted, "%s: interrupted%s%s", s.name, note, where(s.trace))
		}
		return failf(exitStopped, "%s: stopped after %v%s%s", s.name, s.flags.timeout, note, where(s.trace))
	}
	if s.turn.Err != nil {
		return failf(exitError, "%s: this host could not go on: %w%s", s.name, s.turn.Err, note)
	}
	return failf(exitError, "%s: this host could not go on: %s%s", s.name, firstLine(s.turn.Outcome.Text), note)
}

// verdict is how a result ends this process.
func (s *sitting) verdict() error {
	o := s.turn.Outcome
	code := guestExit(o)
	switch o.Class {
	case turn.Exit:
		return quit(code)
	case turn.Refused:
		if s.spec.Zencode != nil {
			return failf(code, "%s: %s; --memory gives more", s.name, plain(o.Text))
		}
		return failf(code, "%s: %s; carrel inspect shows what it asks for", s.name, plain(o.Text))
	case turn.Fuel:
		return failf(code, "%s: out of fuel after %s units; --fuel gives more%s", s.name, grouped(o.Fuel), where(s.trace))
	case turn.Depth:
		return failf(code, "%s: too deep: its calls go deeper than any program's may%s", s.name, where(s.trace))
	default:
		if s.spec.Script != nil {
			return failf(code, "%s: %s", s.name, fault(o))
		}
		if s.spec.Zencode != nil {
			return failf(code, "%s: %v: %s", s.name, o.Class, plain(firstLine(o.Text)))
		}
		return failf(code, "%s: trap (%s): %s%s", s.name, o.Class, traps[o.Class], where(s.trace))
	}
}

// traps says what a program did. The engines' own words differ, and say less.
var traps = map[turn.Class]string{
	turn.Unreachable: "it executed unreachable: a panic, an abort, a failed assertion",
	turn.Memory:      "it touched memory out of bounds",
	turn.Table:       "it called through a table where there is no such function",
	turn.Divide:      "it divided an integer by zero",
	turn.Overflow:    "an integer division or a conversion overflowed",
	turn.Conversion:  "it converted a float that is no integer",
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
