package js_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"

	"carrel/guest/js"
	"carrel/machine"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
	"carrel/turn"
)

const programs = "../../.cache/programs/"

// tested is the wasm of the engine that is tested: with the tag engine that of our
// own, else the published one.
func tested(t testing.TB) []byte {
	t.Helper()
	if own := js.Embedded(); own != nil {
		return own
	}
	return program(t, "quickjs.wasm")
}

// recorded is a file of testdata with what one engine does.
func recorded(name string) string {
	if js.Embedded() != nil {
		return "testdata/engine/" + name
	}
	return "testdata/quickjs/" + name
}

func program(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(programs + name)
	if err != nil {
		t.Fatalf("%s is not there: run make programs (%v)", name, err)
	}
	return b
}

// engines are JavaScript on all engines that this build has: three with the tag
// wasmtime, else two. They are made once.
func engines(t testing.TB) map[string]*js.Engine {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.engines == nil {
		made.engines = makeEngines(t)
	}
	return made.engines
}

var made struct {
	sync.Mutex
	engines map[string]*js.Engine
}

func makeEngines(t testing.TB) map[string]*js.Engine {
	t.Helper()
	wasm := tested(t)
	build, err := js.Find(wasm)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := wazero.Compiled(wazero.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	machines := []machine.Engine{compiled, wazero.Interpreted(wazero.Options{})}
	second, err := wasmtime.New(wasmtime.Options{})
	if errors.Is(err, machine.ErrUnsupported) {
		t.Logf("not tested: %v", err)
	} else if err != nil {
		t.Fatal(err)
	} else {
		machines = append(machines, second)
	}
	all := map[string]*js.Engine{}
	for _, m := range machines {
		program, err := machine.Load(context.Background(), m, wasm)
		if err != nil {
			t.Fatal(err)
		}
		if all[m.Name()], err = js.New(program, build); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func start(t testing.TB, engine *js.Engine, config js.Config) *js.Worker {
	t.Helper()
	w, err := engine.Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// evaluate is what came of source, which must not end in a fault.
func evaluate(t testing.TB, w *js.Worker, source string) js.Reply {
	t.Helper()
	reply, err := w.Evaluate(source)
	if err != nil {
		t.Fatal(err)
	}
	if reply.Outcome.Class != turn.Exit {
		t.Fatalf("%.200s ends with %v: %s", source, reply.Outcome.Class, reply.Outcome.Text)
	}
	return reply
}
