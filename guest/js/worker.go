package js

import (
	"crypto/cipher"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"

	"carrel/machine"
	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/turn"
)

//go:embed shim.js
var shim string

// Shim is the digest of the shim that this build starts workers with. An image
// keeps the one that it was made with.
func Shim() seal.Digest { return seal.Sum([]byte(shim)) }

// ShimSource is the shim itself, for receipts.
func ShimSource() []byte { return []byte(shim) }

// Errors of a Worker.
var (
	// ErrBusy reports a call from within a function that the worker called.
	ErrBusy = errors.New("the worker is in a turn")
	// ErrFaulted reports a worker whose last turn ended in a fault: Rollback makes
	// it good again.
	ErrFaulted = errors.New("the worker's last turn ended in a fault")
	// ErrClosed reports a worker that was closed.
	ErrClosed = errors.New("the worker is closed")
	// ErrTooLarge reports a source or message of more than BytesMax.
	ErrTooLarge = fmt.Errorf("more than %d bytes", BytesMax)
)

// A Refusal is an error of Config.Command that the code that asked gets to see:
// issueCommand throws an Error with this text. Any other error is the host's.
type Refusal string

func (r Refusal) Error() string { return string(r) }

func asRefusal(err error, refusal *Refusal) bool { return errors.As(err, refusal) }

// Limits bound a turn.
type Limits struct {
	// Fuel is all that the turn may use; 0 is FuelDefault.
	Fuel uint64
	// Compute is the meter limit that the turn begins with, in units of the meter,
	// at most ComputeMax; 0 is none. Code of the start compartment may set it: see currentMeterLimit.
	Compute uint64
	// MemoryPages of 64 KiB are what the heap may grow to; 0 is
	// MemoryPagesDefault.
	MemoryPages uint32
}

func (l Limits) turn() turn.Limits {
	if l.Fuel == 0 {
		l.Fuel = FuelDefault
	}
	if l.MemoryPages == 0 {
		l.MemoryPages = MemoryPagesDefault
	}
	return turn.Limits{Fuel: min(l.Fuel, turn.FuelMax), MemoryPages: l.MemoryPages}
}

// A Config is all that a worker is handed. The zero value is one that answers no
// commands and whose prints are discarded.
type Config struct {
	Limits Limits
	// Now is what clocks show at least, in nanoseconds since 1970, when the next
	// turn begins; they never go back.
	Now uint64
	// Clock, if there is one, is what clocks show, in nanoseconds since 1970; then
	// images keep no time, and two runs are the same only if no code looks.
	Clock func() uint64
	// MeterUnit is the fuel that the meter counts as one, at most MeterUnitMax; 0
	// is 1.
	MeterUnit uint64
	// Seed is of random bytes, at most SeedBytesMax; nil is a seed like any other.
	// The engine takes what Math.random goes on from when it begins, so that
	// workers from one image have that in common.
	Seed []byte
	// Print is given each line that is printed, without the newline; nil discards.
	// An error ends the turn with class worker.
	Print func(line string) error
	// Warn is given what nobody handled, a line each: rejections of promises, where
	// there is no console. Nil is Print.
	Warn func(line string) error
	// Command answers issueCommand, while the turn waits. It may keep message. An
	// error that is no Refusal ends the turn with class worker.
	Command func(message []byte) (answer []byte, err error)
}

// PrintTo is a Config.Print that writes lines.
func PrintTo(w io.Writer) func(string) error {
	return func(line string) error {
		_, err := io.WriteString(w, line+"\n")
		return err
	}
}

func (c *Config) meterUnit() uint64 { return max(1, c.MeterUnit) }

func (c *Config) check() error {
	switch {
	case len(c.Seed) > SeedBytesMax:
		return fmt.Errorf("seed of %d bytes, the limit is %d", len(c.Seed), SeedBytesMax)
	case c.Now > timeMax:
		return errors.New("start time is too late")
	case c.MeterUnit > MeterUnitMax:
		return fmt.Errorf("meter unit of %d, the limit is %d", c.MeterUnit, uint64(MeterUnitMax))
	case c.Limits.Compute > ComputeMax:
		return fmt.Errorf("meter limit of %d, at most %d is exact in JavaScript", c.Limits.Compute, uint64(ComputeMax))
	}
	return nil
}

// Types of a Reply beside what typeof says.
const TypeBytes = "bytes"

// A Reply is what came of a turn.
type Reply struct {
	// Outcome is how it ended. With any class but exit there is no more in the
	// reply. Its fuel is without what the pages cost that it changed: see
	// Worker.Commit.
	Outcome turn.Outcome
	// Compute is what the meter had counted at the end, a unit that was begun as
	// one; 0 after a fault.
	Compute uint64

	// Thrown is what the code threw; then it has no result.
	Thrown *Exception
	// Type is of the result: TypeBytes, or what typeof says.
	Type string
	// Bytes are the result, if it is an ArrayBuffer.
	Bytes []byte
	// Text is the result as String makes it, if it is no object.
	Text string
}

// An Exception is what code threw and did not catch.
type Exception struct {
	Text  string // as String makes it
	Stack string // where it was made, if it is an Error; for people

	// Result says that the code did not throw it, but the getter of its result.
	Result bool
}

func (e *Exception) Error() string { return e.Text }

// Trace is the exception with its stack, if it has one. Stacks of some engines begin
// with the text.
func (e *Exception) Trace() string {
	stack := strings.TrimRight(e.Stack, "\n")
	switch {
	case stack == "":
		return e.Text
	case strings.HasPrefix(stack, e.Text):
		return stack
	}
	return e.Text + "\n" + stack
}

// A Worker is JavaScript that runs: a heap, and what it knows of its host. It is
// used by one goroutine; only Stop may be called from others.
type Worker struct {
	engine   *Engine
	config   Config
	instance *machine.Instance

	bundles []seal.Digest
	shim    seal.Digest
	handles handles
	turns   uint64
	time    virtualTime

	committed region // what Rollback goes back to

	// Of the turn.
	running    bool
	closed     bool
	booting    bool // the engine begins
	limits     turn.Limits
	meter      computeMeter
	random     cipher.Stream // nil until somebody asks
	reply      *Reply        // nil until the shim has one
	raised     *Exception    // by a script: Run
	rejections []rejection
	untold     int // rejections beyond RejectionsMax

	dead    *turn.Outcome // of the turn that ended in a fault
	failure error
}

// SetLimits sets the limits of turns to come.
func (w *Worker) SetLimits(limits Limits) error {
	config := w.config
	config.Limits = limits
	if err := config.check(); err != nil {
		return err
	}
	w.config = config
	return nil
}

// SetNow sets what clocks show at least when the next turn begins.
func (w *Worker) SetNow(nanos uint64) error {
	config := w.config
	config.Now = nanos
	if err := config.check(); err != nil {
		return err
	}
	w.config = config
	return nil
}

// Evaluate gives source, UTF-8, to what is the global eval at that moment, and
// runs to completion: then every promise job, and what setImmediate keeps one by
// one with the promise jobs of each. The result is the completion value; if that
// is an object that has a property result, then what that is in the end.
//
// Nothing that the code does is an error: see Reply.
func (w *Worker) Evaluate(source string) (Reply, error) {
	if len(source) > BytesMax {
		return Reply{}, fmt.Errorf("evaluate: %w", ErrTooLarge)
	}
	return w.turn(func() error {
		b, err := putBox(w, "qjs_new_string", source)
		if err != nil {
			return err
		}
		return w.enter(w.handles.Evaluate, b)
	})
}

// Deliver gives message, as an ArrayBuffer, to what is the global handleCommand at
// that moment, and goes on as Evaluate does.
func (w *Worker) Deliver(message []byte) (Reply, error) {
	if len(message) > BytesMax {
		return Reply{}, fmt.Errorf("deliver: %w", ErrTooLarge)
	}
	return w.turn(func() error {
		b, err := putBox(w, "qjs_new_array_buffer", message)
		if err != nil {
			return err
		}
		return w.enter(w.handles.Deliver, b)
	})
}

// Collect frees what nothing refers to any more, in a turn of its own.
func (w *Worker) Collect() (Reply, error) {
	return w.turn(func() error {
		w.reply = &Reply{Type: "undefined", Text: "undefined"}
		_, err := w.call("qjs_run_gc")
		return err
	})
}

// ready reports why no turn can begin.
func (w *Worker) ready() error {
	switch {
	case w.running:
		return ErrBusy
	case w.closed:
		return ErrClosed
	case w.dead != nil:
		return fmt.Errorf("%w (%v)", ErrFaulted, w.dead.Class)
	}
	return nil
}

func (w *Worker) turn(begin func() error) (Reply, error) {
	if err := w.ready(); err != nil {
		return Reply{}, err
	}
	limits := w.config.Limits.turn()
	if err := w.instance.Begin(limits); err != nil {
		return Reply{}, err
	}
	w.running = true
	defer func() { w.running = false }()
	w.limits, w.meter, w.random, w.reply, w.raised, w.rejections, w.untold = limits, computeMeter{}, nil, nil, nil, w.rejections[:0], 0
	w.time.Real = max(w.time.Real, w.config.Now)
	err := w.setMeter(w.config.Limits.Compute, 0)
	if err == nil {
		err = w.complete(begin)
	}
	return w.end(err), nil
}

// complete runs a turn to completion.
func (w *Worker) complete(begin func() error) error {
	if err := begin(); err != nil {
		return err
	}
	for w.reply == nil {
		if err := w.jobs(); err != nil {
			return err
		}
		if err := w.enter(w.handles.Next); err != nil {
			return err
		}
	}
	// Code may have run for the reply, and may run to tell of rejections.
	for {
		if err := w.jobs(); err != nil {
			return err
		}
		if len(w.rejections) == 0 {
			return w.exhausted()
		}
		if err := w.tell(); err != nil {
			return err
		}
	}
}

// jobs runs promise jobs until there are none.
func (w *Worker) jobs() error {
	for {
		ran, err := w.call("qjs_execute_pending_job")
		switch {
		case err != nil:
			return err
		case int32(ran) < 0:
			return w.uncaught()
		case ran == 0:
			return nil
		}
	}
}

// tell has the shim tell of the rejections so far.
func (w *Worker) tell() error {
	rejections := w.rejections
	w.rejections = nil
	for _, r := range rejections {
		if err := w.free(r.promise); err != nil {
			return err
		}
		if err := w.enter(w.handles.Rejected, r.reason); err != nil {
			return err
		}
	}
	if w.untold == 0 {
		return nil
	}
	untold := w.untold
	w.untold = 0
	return w.warnLine(fmt.Sprintf("Unhandled exceptions: %d more", untold))
}

// end is the reply of a turn; err is why it ended before its time.
func (w *Worker) end(err error) Reply {
	unit := w.config.meterUnit()
	compute := (w.metered() + unit - 1) / unit
	w.instance.Refund(w.meter.aside)
	w.meter.aside = 0
	if err != nil {
		outcome := w.instance.Outcome(err)
		if outcome.Class == turn.Memory && !errors.Is(err, errMemory) {
			// The engine's own stack has run out of memory: it is below all else.
			outcome.Class = turn.Depth
		}
		w.dead = &outcome
		return Reply{Outcome: outcome}
	}
	w.turns++
	reply := *w.reply
	if w.raised != nil {
		reply = Reply{Thrown: w.raised}
	}
	reply.Outcome = turn.Outcome{Class: turn.Exit, Fuel: w.instance.FuelUsed()}
	reply.Compute = compute
	return reply
}

// fail notes a failure of the host.
func (w *Worker) fail(err error) error {
	if w.failure == nil {
		w.failure = err
	}
	return err
}

// Err is the failure of the host that ended a turn with class worker, with its
// type: what Config.Print or Config.Command returned.
func (w *Worker) Err() error { return w.failure }

// Stop asks the turn under way to stop, with class stopped. It may be called from
// any goroutine.
func (w *Worker) Stop() { w.instance.Stop() }

// Commit ends the turn as a receipt has it: the pages that were changed since the
// last image are charged to it, which may still make it a fault, and the image is
// what it leaves. There is no image after a fault.
func (w *Worker) Commit() (turn.Outcome, *image.Image, error) {
	if err := w.ready(); err != nil {
		return turn.Outcome{}, nil, err
	}
	outcome := w.instance.Outcome(nil)
	if outcome.Class != turn.Exit {
		w.dead = &outcome
		return outcome, nil, nil
	}
	img, err := w.Snapshot()
	return outcome, img, err
}

// Snapshot makes an image of the worker between turns, and what Rollback goes back
// to. Its cost follows the pages that were changed since the last one.
func (w *Worker) Snapshot() (*image.Image, error) {
	if err := w.ready(); err != nil {
		return nil, err
	}
	now := w.region()
	img, err := w.instance.Commit(now.encode())
	if err != nil {
		return nil, err
	}
	w.committed = now
	return img, nil
}

func (w *Worker) region() region {
	return region{
		Version: regionVersion, Engine: w.engine.build.Digest, Shim: w.shim, Bundles: w.bundles,
		Turns: w.turns, Real: w.time.Real, Elapsed: w.time.Elapsed, Handles: w.handles,
	}
}

func (w *Worker) remember(r region) {
	w.committed = r
	w.shim, w.bundles, w.handles = r.Shim, r.Bundles, r.Handles
	w.turns, w.time = r.Turns, virtualTime{r.Real, r.Elapsed}
}

// Rollback makes the worker what it was at its last image, or what it was made as,
// whatever happened since. After an error it is only good for Close.
func (w *Worker) Rollback() error {
	switch {
	case w.running:
		return ErrBusy
	case w.closed:
		return ErrClosed
	}
	if err := w.instance.Rollback(); err != nil {
		return err
	}
	w.remember(w.committed)
	w.dead, w.failure = nil, nil
	return nil
}

// Close releases the worker. Errors: ErrBusy.
func (w *Worker) Close() error {
	switch {
	case w.running:
		return ErrBusy
	case w.closed:
		return nil
	}
	w.closed = true
	return w.instance.Close()
}
