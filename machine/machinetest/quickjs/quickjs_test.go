package quickjs_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"carrel/machine"
	"carrel/machine/image"
	"carrel/machine/machinetest/quickjs"
	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
	"carrel/program/seal"
	"carrel/turn"
)

var cycles = flag.Int("cycles", 1000, "how many times QuickJS is stopped, kept and restored, on each engine")

// app is a program with state of all kinds: closures, generators half way
// through, promises that wait, a map, strings, a typed array, garbage.
const app = `
const total = (() => { let n = 0; return (d) => n += d; })();
const words = new Map(), numbers = new Float64Array(512), ring = [];
function* walk() { let a = 1, b = 1; for (;;) { yield a; [a, b] = [b, (a + b) % 1000003]; } }
const path = walk();
let wake, woken = 0;
const sleep = () => new Promise((r) => { wake = r; }).then((v) => { woken += v; });
function step(n) {
  const value = path.next().value;
  total(value);
  words.set("word" + (n * 7919) % 199, { n, text: "x".repeat(n % 50) });
  numbers[n % 512] = Math.sqrt(value) / 3;
  ring.push([n, value]); if (ring.length > 100) ring.shift();
  if (n % 10 === 0) sleep(); else if (n % 10 === 5 && wake) wake(n);
  let garbage = []; for (let i = 0; i < n % 30; i++) garbage.push({ i, n });
  return [n, total(0), words.size, woken, numbers.reduce((a, b) => a + b, 0)].join(" ");
}`

// guest is an instance of QuickJS.
type guest struct{ *machine.Instance }

func (g guest) Call(export string, args ...uint64) (uint64, error) {
	results, err := g.Instance.Call(export, args...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

var limits = turn.Limits{Fuel: 1 << 40, MemoryPages: 1024}

func imports() machine.Imports {
	types := func(short string) (all []meter.ValType) {
		for _, c := range short {
			all = append(all, map[rune]meter.ValType{'i': meter.I32, 'l': meter.I64}[c])
		}
		return all
	}
	all := machine.Imports{}
	for _, f := range quickjs.Imports {
		all[[2]string{f.Module, f.Name}] = machine.HostImport{
			Type: meter.FuncType{Params: types(f.Params), Results: types(f.Results)},
			Call: func(i *machine.Instance, stack []uint64) error { f.Run(i.Memory(), stack); return nil },
		}
	}
	return all
}

// begin is QuickJS with the program, at rest.
func begin(t *testing.T, program *machine.Program) *machine.Instance {
	t.Helper()
	i, err := program.Instantiate(limits, imports())
	if err != nil {
		t.Fatal(err)
	}
	vm, err := quickjs.Start(guest{i})
	if err == nil {
		_, err = vm.Eval(app)
	}
	if outcome := i.Outcome(nil); err != nil || outcome.Class != turn.Exit {
		t.Fatalf("start QuickJS: %v, %v", outcome, err)
	}
	return i
}

// cycle is what can be seen of one turn.
type cycle struct {
	answer string
	fuel   uint64
	root   page.Hash
}

func turnOf(i *machine.Instance, n int) (cycle, *image.Image, error) {
	if err := i.Begin(limits); err != nil {
		return cycle{}, nil, err
	}
	answer, err := (&quickjs.VM{Guest: guest{i}}).Eval(fmt.Sprintf("step(%d)", n))
	if err != nil {
		return cycle{}, nil, err
	}
	outcome := i.Outcome(nil)
	if outcome.Class != turn.Exit {
		return cycle{}, nil, errors.New(outcome.Text)
	}
	img, err := i.Commit(nil)
	if err != nil {
		return cycle{}, nil, err
	}
	return cycle{answer, outcome.Fuel, img.Root()}, img, nil
}

// TestCycles holds a real program of some size to the laws of images: run
// straight on one engine, and stopped, kept and restored after every call on
// all of them, it gives the same answers for the same fuel, and the same roots.
// Now and then the image goes through a file, else through a delta.
func TestCycles(t *testing.T) {
	wasm, err := os.ReadFile("../../../.cache/programs/quickjs.wasm")
	if err != nil {
		t.Fatalf("QuickJS is not there: run make programs (%v)", err)
	}
	first, err := wazero.Compiled(wazero.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	engines := []machine.Engine{first, wazero.Interpreted(wazero.Options{})}
	if second, err := wasmtime.New(wasmtime.Options{}); err == nil {
		engines = append(engines, second)
	} else if !errors.Is(err, machine.ErrUnsupported) {
		t.Fatal(err)
	}
	programs := make([]*machine.Program, len(engines))
	for n, engine := range engines {
		defer engine.Close()
		if programs[n], err = machine.Load(context.Background(), engine, wasm); err != nil {
			t.Fatal(err)
		}
		defer programs[n].Close()
	}
	straight := begin(t, programs[0])
	defer straight.Close()
	images := make([]*image.Image, len(engines))
	for n, program := range programs {
		i := begin(t, program)
		if images[n], err = i.Commit(nil); err != nil {
			t.Fatal(err)
		}
		if err := i.Close(); err != nil {
			t.Fatal(err)
		}
		if images[n].Root() != images[0].Root() {
			t.Fatalf("%s begins with another root", engines[n].Name())
		}
	}
	if _, err := straight.Commit(nil); err != nil {
		t.Fatal(err)
	}
	for round := range *cycles {
		want, _, err := turnOf(straight, round)
		if err != nil {
			t.Fatalf("cycle %d: %v", round, err)
		}
		for n, program := range programs {
			i, err := program.Restore(images[n], limits, imports())
			if err != nil {
				t.Fatal(err)
			}
			got, img, err := turnOf(i, round)
			if err != nil {
				t.Fatalf("cycle %d on %s: %v", round, engines[n].Name(), err)
			}
			if got != want {
				t.Fatalf("cycle %d on %s: %+v, straight it is %+v", round, engines[n].Name(), got, want)
			}
			if err := i.Close(); err != nil {
				t.Fatal(err)
			}
			if images[n], err = kept(images[n], img, round); err != nil {
				t.Fatalf("cycle %d: %v", round, err)
			}
		}
	}
	t.Logf("%d cycles on %d engines, root %x", *cycles, len(engines), images[0].Root())
}

// kept is an image after it was kept and found again.
func kept(before, after *image.Image, round int) (*image.Image, error) {
	if round%64 > 0 {
		delta, err := image.Diff(before, after)
		if err != nil {
			return nil, err
		}
		if delta, err = image.ReadDelta(delta.Append(nil), image.Limits{}); err != nil {
			return nil, err
		}
		return delta.Apply(before)
	}
	var file bytes.Buffer
	label := &image.Label{MachineVersion: turn.MachineVersion, Program: seal.Sum([]byte("quickjs")), Guest: "none", GuestVersion: 1}
	if err := image.Write(&file, after, label); err != nil {
		return nil, err
	}
	again, _, err := image.Read(&file, image.Limits{})
	return again, err
}
