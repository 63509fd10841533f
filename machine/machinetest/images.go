package machinetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"carrel/machine"
	"carrel/machine/image"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/program/seal"
	"carrel/turn"
)

// Images holds a module that wasmgen generated, which must be imageable, to the
// laws of images: a history of calls, at random, is the same whatever happens
// between them, on every engine and with every way to find changed pages.
//
//   - run straight is the same as restored from an image at every call, or from
//     that image as a file or as a delta to the one before;
//   - what is rolled back leaves no trace;
//   - two instances of one image never see each other.
//
// Compared are results, host calls, class, fuel and root after every call.
func Images(wasm []byte, seed uint64, engines ...machine.Engine) error {
	module, err := meter.Rewrite(wasm)
	if err != nil {
		return fmt.Errorf("rewrite: %w", err)
	}
	plan := newPlan(module, seed)
	var first []passed
	for _, engine := range engines {
		for _, way := range ways() {
			got, err := plan.live(engine, way)
			switch {
			case errors.Is(err, errCannot):
				continue
			case err != nil:
				return fmt.Errorf("%s, %s: %w", engine.Name(), way.name, err)
			case first == nil:
				first = got
			}
			for n := range got {
				if err := got[n].differs(first[n]); err != nil {
					return fmt.Errorf("%s, %s: turn %d, %s: %w", engine.Name(), way.name, n, plan.steps[n].export, err)
				}
			}
		}
	}
	if first == nil {
		return errors.New("no engine could run it")
	}
	return nil
}

// errCannot reports that the interpreter cannot run a history.
var errCannot = errors.New("the interpreter cannot")

// A plan is a history of calls to be made.
type plan struct {
	module *meter.Module
	steps  []step
	detour []step // to be rolled back
}

type step struct {
	export string
	args   []uint64
	fuel   uint64
}

const stepsOfPlan = 12

func newPlan(module *meter.Module, seed uint64) *plan {
	random := rand.New(rand.NewPCG(seed, 3))
	var exports []meter.Export
	for _, name := range wasmgen.Exports() {
		if e, ok := module.Export(name); ok && e.Kind == meter.KindFunc {
			exports = append(exports, e)
		}
	}
	p := &plan{module: module}
	some := func() step {
		e := exports[random.IntN(len(exports))]
		fuel := uint64(PlentyOfFuel)
		if random.IntN(4) == 0 {
			fuel = random.Uint64N(20_000)
		}
		return step{e.Name, arguments(e.Name, e.Type.Params), fuel}
	}
	for range stepsOfPlan {
		p.steps = append(p.steps, some())
		p.detour = append(p.detour, some())
	}
	return p
}

// passed is what a turn was.
type passed struct {
	outcome turn.Outcome
	results []uint64
	log     []string
	root    page.Hash // of the image after it
}

func (p passed) differs(q passed) error {
	a := run{class: p.outcome.Class, code: p.outcome.Code, fuel: p.outcome.Fuel, results: [][]uint64{p.results}, log: p.log, text: p.outcome.Text}
	b := run{class: q.outcome.Class, code: q.outcome.Code, fuel: q.outcome.Fuel, results: [][]uint64{q.results}, log: q.log, text: q.outcome.Text}
	if err := differ(&a, &b); err != nil {
		return err
	}
	if p.root != q.root {
		return fmt.Errorf("root %x, %x", p.root, q.root)
	}
	return nil
}

// A way is what happens between the turns of a history.
type way struct {
	name   string
	method page.Method
	// next gives the instance for the next turn: the one of the turn before, or
	// another. img is the image to go on from, nil at the beginning.
	next func(l *life, n int, img *image.Image) error
}

func ways() []way {
	all := []way{
		{"straight", page.Auto, (*life).stay},
		{"detours", page.Auto, (*life).detour},
		{"twins", page.Auto, (*life).twin},
		{"written and read", page.Auto, (*life).reload},
		{"deltas", page.Auto, (*life).patch},
	}
	for _, m := range page.Methods() {
		all = append(all, way{"restored, " + m.String(), m, (*life).restore}, way{"straight, " + m.String(), m, (*life).stay})
	}
	return all
}

// A life is one history on one engine.
type life struct {
	plan     *plan
	program  *machine.Program
	instance *machine.Instance
	world    *world
	previous *image.Image // before the one that next goes on from
}

func (p *plan) live(engine machine.Engine, way way) ([]passed, error) {
	code, err := engine.Compile(context.Background(), p.module)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	l := &life{plan: p, program: machine.NewProgram(p.module, code)}
	l.program.Detect = way.method
	defer l.program.Close()
	defer func() {
		if l.instance != nil {
			l.instance.Close()
		}
	}()
	var img *image.Image
	var history []passed
	for n, step := range p.steps {
		if err := way.next(l, n, img); err != nil {
			return nil, fmt.Errorf("before turn %d: %w", n, err)
		}
		got := l.turn(l.instance, step)
		switch {
		case got.outcome.Class == turn.Worker && engine.Name() == "interpreter":
			return nil, errCannot
		case got.outcome.Class == turn.Worker:
			return nil, fmt.Errorf("turn %d: worker fault: %s", n, got.outcome.Text)
		case got.outcome.Class == turn.Exit:
			want := l.instance.Root([]byte{byte(n)})
			next, err := l.instance.Commit([]byte{byte(n)})
			if err != nil {
				return nil, fmt.Errorf("after turn %d: %w", n, err)
			}
			if next.RootString() != want {
				return nil, fmt.Errorf("after turn %d: root %s of the instance, %s of its image", n, want, next.RootString())
			}
			l.previous, img = img, next
		default:
			if err := l.instance.Rollback(); err != nil {
				return nil, fmt.Errorf("after turn %d: %w", n, err)
			}
		}
		if img != nil {
			got.root = img.Root()
		}
		history = append(history, got)
	}
	return history, nil
}

// turn makes one call, and charges for it.
func (l *life) turn(i *machine.Instance, s step) passed {
	w := &world{}
	l.world = w
	if err := i.Begin(turn.Limits{Fuel: s.fuel, MemoryPages: pagesLimit}); err != nil {
		return passed{outcome: turn.Outcome{Class: turn.Worker, Text: err.Error()}}
	}
	results, err := i.Call(s.export, s.args...)
	return passed{outcome: i.Outcome(err), results: slices.Clone(results), log: w.log}
}

func (l *life) imports() machine.Imports {
	return worldImports(l.plan.module, func() *world { return l.world })
}

// start makes an instance of an image.
func (l *life) start(img *image.Image) (*machine.Instance, error) {
	limits := turn.Limits{Fuel: 1, MemoryPages: pagesLimit}
	if img == nil {
		return l.program.Instantiate(limits, l.imports())
	}
	return l.program.Restore(img, limits, l.imports())
}

func (l *life) stay(n int, img *image.Image) (err error) {
	if l.instance == nil {
		l.instance, err = l.start(img)
	}
	return err
}

func (l *life) restore(n int, img *image.Image) (err error) {
	if l.instance != nil {
		if err := l.instance.Close(); err != nil {
			return err
		}
	}
	l.instance, err = l.start(img)
	return err
}

// detour makes a turn that is rolled back.
func (l *life) detour(n int, img *image.Image) error {
	if err := l.stay(n, img); err != nil {
		return err
	}
	l.turn(l.instance, l.plan.detour[n])
	return l.instance.Rollback()
}

// twin makes a turn on another instance of the same image, while there is one
// that must not see it.
func (l *life) twin(n int, img *image.Image) error {
	if err := l.restore(n, img); err != nil {
		return err
	}
	other, err := l.start(img)
	if err != nil {
		return err
	}
	defer other.Close()
	before := l.instance.Root(nil)
	l.turn(other, l.plan.detour[n])
	if after := l.instance.Root(nil); before != after {
		return errors.New("an instance saw what another did")
	}
	return nil
}

// reload goes on from what a file of the image gives.
func (l *life) reload(n int, img *image.Image) error {
	if img == nil {
		return l.restore(n, img)
	}
	var file bytes.Buffer
	label := &image.Label{MachineVersion: turn.MachineVersion, Program: seal.Sum([]byte("generated")), Guest: "world", GuestVersion: 1}
	if err := image.Write(&file, img, label); err != nil {
		return err
	}
	again, _, err := image.Read(&file, image.Limits{})
	if err != nil {
		return err
	}
	return l.restore(n, again)
}

// patch goes on from what the image before the last gives with the delta between
// the two.
func (l *life) patch(n int, img *image.Image) error {
	if img == nil || l.previous == nil {
		return l.restore(n, img)
	}
	delta, err := image.Diff(l.previous, img)
	if err != nil {
		return err
	}
	if delta, err = image.ReadDelta(delta.Append(nil), image.Limits{}); err != nil {
		return err
	}
	again, err := delta.Apply(l.previous)
	if err != nil {
		return err
	}
	return l.restore(n, again)
}
