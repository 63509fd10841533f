package js

import (
	"fmt"

	"carrel/guest/js/bundle"
	"carrel/machine"
	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/turn"
)

// An Engine is a program that runs JavaScript. It is safe for concurrent use.
type Engine struct {
	program *machine.Program
	build   Build
}

// New is the engine that a program is, which was loaded from the bytes that build
// names. The error says what it lacks of the contract.
func New(program *machine.Program, build Build) (*Engine, error) {
	if err := check(program); err != nil {
		return nil, err
	}
	if err := program.Imageable(); err != nil {
		return nil, err
	}
	return &Engine{program, build}, nil
}

// Build tells which engine it is.
func (e *Engine) Build() Build { return e.build }

// Label is what the files of images of the engine say beside them.
func (e *Engine) Label() *image.Label {
	return &image.Label{MachineVersion: turn.MachineVersion, Program: e.build.Digest, Guest: Name, GuestVersion: Version}
}

// Start makes a worker with a fresh start compartment: the globals of ECMAScript
// and those of the shim, before any lockdown. Whether there is a Compartment is the engine's.
func (e *Engine) Start(config Config) (*Worker, error) {
	w, err := e.worker(nil, config)
	if err != nil {
		return nil, err
	}
	if err := w.boot(); err != nil {
		return nil, fmt.Errorf("start JavaScript: %w", errorsClose(err, w))
	}
	return w, nil
}

// Restore makes a worker that goes on from an image of the engine, copy-on-write:
// its cost is that of what it changes.
func (e *Engine) Restore(img *image.Image, config Config) (*Worker, error) {
	before, err := readRegion(img.Host)
	if err != nil {
		return nil, fmt.Errorf("restore JavaScript: %w", err)
	}
	if before.Engine != e.build.Digest {
		return nil, fmt.Errorf("restore JavaScript: the image is of engine %s, this is %s", before.Engine, e.build)
	}
	w, err := e.worker(img, config)
	if err != nil {
		return nil, fmt.Errorf("restore JavaScript: %w", err)
	}
	w.remember(before)
	return w, nil
}

// worker makes one, in which nothing has run yet.
func (e *Engine) worker(from *image.Image, config Config) (_ *Worker, err error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	w := &Worker{engine: e, config: config}
	limits := config.Limits.turn()
	if from == nil {
		w.instance, err = e.program.Instantiate(limits, imports)
	} else {
		w.instance, err = e.program.Restore(from, limits, imports)
	}
	if err != nil {
		return nil, err
	}
	w.instance.Guest = w
	return w, nil
}

func errorsClose(err error, w *Worker) error {
	_ = w.Close()
	return err
}

// Flags of qjs_eval.
const evalStrict = 1 << 3

// boot begins the engine and the shim, and makes what Rollback goes back to.
func (w *Worker) boot() error {
	w.limits = turn.Limits{Fuel: bootFuel, MemoryPages: w.config.Limits.turn().MemoryPages}
	if err := w.instance.Begin(w.limits); err != nil {
		return err
	}
	w.time.Real = w.config.Now
	if err := w.bootEngine(); err != nil {
		return err
	}
	if outcome := w.instance.Outcome(nil); outcome.Class != turn.Exit {
		return fmt.Errorf("%v: %s", outcome.Class, outcome.Text)
	}
	w.turns = 1
	_, err := w.Snapshot()
	return err
}

func (w *Worker) bootEngine() error {
	if _, err := w.call("_initialize"); err != nil {
		return err
	}
	w.booting = true
	failed, err := w.call("qjs_init")
	w.booting = false
	if err != nil || failed != 0 {
		return fmt.Errorf("qjs_init: %d, %w", int32(failed), err)
	}
	if _, err := w.call("qjs_set_promise_rejection_handler", 1); err != nil {
		return err
	}
	scratch, err := w.boxed("wasm_malloc", scratchBytes)
	if err != nil {
		return err
	}
	w.shim = Shim()
	w.handles.Scratch = scratch
	if w.handles.Undefined, err = w.boxed("qjs_get_undefined"); err != nil {
		return err
	}
	host, err := w.hostObject()
	if err != nil {
		return err
	}
	return w.bootShim(host)
}

// hostObject is an object with the functions of the host.
func (w *Worker) hostObject() (box, error) {
	object, err := w.boxed("qjs_new_object")
	if err != nil {
		return 0, err
	}
	for _, f := range hostFuncs {
		name, err := put(w, f.name)
		if err != nil {
			return 0, err
		}
		function, err := w.boxed("qjs_new_host_function", uint64(name), uint64(len(f.name)), uint64(f.params))
		if err != nil {
			return 0, err
		}
		if _, err := w.call("qjs_set_prop_string", uint64(object), uint64(name), uint64(function)); err != nil {
			return 0, err
		}
		if err := w.free(function); err != nil {
			return 0, err
		}
		if _, err := w.call("wasm_free", uint64(name)); err != nil {
			return 0, err
		}
	}
	return object, nil
}

// bootShim evaluates the shim and calls it with the functions of the host.
func (w *Worker) bootShim(host box) error {
	source, err := put(w, shim)
	if err != nil {
		return err
	}
	file, err := put(w, "shim.js")
	if err != nil {
		return err
	}
	function, err := w.boxed("qjs_eval", uint64(source), uint64(len(shim)), uint64(file), evalStrict)
	if err != nil {
		return err
	}
	args, err := w.word(w.handles.Scratch + scratchArgs)
	if err != nil {
		return err
	}
	le.PutUint32(args, host)
	list, err := w.boxed("qjs_call", uint64(function), uint64(w.handles.Undefined), 1, uint64(w.handles.Scratch+scratchArgs))
	if err != nil {
		return err
	}
	if failed, err := w.call("qjs_is_exception", uint64(list)); err != nil {
		return err
	} else if failed != 0 {
		return w.uncaught()
	}
	for n, handle := range []*box{&w.handles.Evaluate, &w.handles.Deliver, &w.handles.Next, &w.handles.Rejected} {
		if *handle, err = w.boxed("qjs_get_prop_uint32", uint64(list), uint64(n)); err != nil {
			return err
		}
	}
	for _, at := range []uint32{source, file} {
		if _, err := w.call("wasm_free", uint64(at)); err != nil {
			return err
		}
	}
	for _, b := range []box{list, function, host} {
		if err := w.free(b); err != nil {
			return err
		}
	}
	return nil
}

// Lockdown makes the image that workers start from: it starts a worker and
// evaluates bundles in it, in order: lockdown, and what else all of them begin
// with. The image names the bundles by their digests.
//
// A bundle is JSON as package bundle reads it, one of the formats of scripts.
func (e *Engine) Lockdown(config Config, bundles ...[]byte) (*image.Image, error) {
	if len(bundles) > BundlesMax {
		return nil, fmt.Errorf("lock down: %d bundles, the limit is %d", len(bundles), BundlesMax)
	}
	w, err := e.Start(config)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	for n, text := range bundles {
		if err := w.load(text); err != nil {
			return nil, fmt.Errorf("lock down: bundle %d (%s): %w", n+1, seal.Sum(text).Short(), err)
		}
	}
	return w.Snapshot()
}

// StartName names the image that Lockdown leaves with a config of zeros: by all that
// it depends on.
func StartName(build Build, bundles ...[]byte) string {
	shim := Shim()
	name := fmt.Sprintf("%d-%x-%x", Version, build.Digest[:16], shim[:16])
	for _, b := range bundles {
		sum := seal.Sum(b)
		name += fmt.Sprintf("-%x", sum[:16])
	}
	return name
}

func (w *Worker) load(text []byte) error {
	b, err := bundle.Read(text)
	if err != nil {
		return err
	}
	source, err := b.Script()
	if err != nil {
		return err
	}
	reply, err := w.Evaluate(source)
	switch {
	case err != nil:
		return err
	case reply.Outcome.Class != turn.Exit:
		return fmt.Errorf("%v: %s", reply.Outcome.Class, reply.Outcome.Text)
	case reply.Thrown != nil:
		return reply.Thrown
	}
	w.bundles = append(w.bundles, seal.Sum(text))
	return nil
}
