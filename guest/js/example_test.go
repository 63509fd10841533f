package js_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"sync"

	"carrel/guest/js"
	"carrel/machine"
	"carrel/machine/wazero"
	"carrel/turn"
)

// load is JavaScript on an engine of WebAssembly; main programs keep both for as
// long as they run.
var load = sync.OnceValue(func() *js.Engine {
	wasm, err := os.ReadFile("../../.cache/programs/quickjs.wasm")
	if err != nil {
		log.Fatal(err)
	}
	build, err := js.Find(wasm) // it is one that is known, by its digest
	if err != nil {
		log.Fatal(err)
	}
	compiler, err := wazero.Compiled(wazero.Options{})
	if err != nil {
		log.Fatal(err)
	}
	program, err := machine.Load(context.Background(), compiler, wasm)
	if err != nil {
		log.Fatal(err)
	}
	engine, err := js.New(program, build)
	if err != nil {
		log.Fatal(err)
	}
	return engine
})

func Example() {
	worker, err := load().Start(js.Config{Print: js.PrintTo(os.Stdout)})
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()

	reply, err := worker.Evaluate(`
		let count = 0;
		globalThis.handleCommand = (message) => {
			const name = new TextDecoder().decode(message);
			print('a message from', name);
			return new TextEncoder().encode('hello ' + name + ', number ' + ++count).buffer;
		};
		'ready'`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Type, reply.Text)

	for _, name := range []string{"Ada", "Grace"} {
		reply, err := worker.Deliver([]byte(name))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s\n", reply.Bytes)
	}
	// Output:
	// string ready
	// a message from Ada
	// hello Ada, number 1
	// a message from Grace
	// hello Grace, number 2
}

// What code does is never an error of Go: it is in the reply.
func ExampleWorker_Evaluate() {
	worker, err := load().Start(js.Config{Limits: js.Limits{Fuel: 50_000_000}})
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()
	for _, source := range []string{
		"6 * 7",
		"throw new RangeError('too much')",
		"const report = {}; Promise.resolve().then(() => { report.result = 'later' }); report",
		"try { for (;;); } catch {}",
	} {
		reply, err := worker.Evaluate(source)
		switch {
		case err != nil:
			log.Fatal(err)
		case reply.Outcome.Class != turn.Exit:
			fmt.Println("fault:", reply.Outcome.Class)
		case reply.Thrown != nil:
			fmt.Println("thrown:", reply.Thrown)
		default:
			fmt.Println(reply.Text)
		}
	}
	// Output:
	// 42
	// thrown: RangeError: too much
	// later
	// fault: fuel
}

// An image is all of a worker. Any number of workers go on from it.
func ExampleEngine_Restore() {
	engine := load()
	worker, err := engine.Start(js.Config{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := worker.Evaluate("var next = (() => { let n = 10; return () => ++n; })()"); err != nil {
		log.Fatal(err)
	}
	img, err := worker.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	worker.Close()

	for range 2 {
		worker, err := engine.Restore(img, js.Config{})
		if err != nil {
			log.Fatal(err)
		}
		first, err := worker.Evaluate("next()")
		if err != nil {
			log.Fatal(err)
		}
		second, err := worker.Evaluate("next()")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(first.Text, second.Text)
		worker.Close()
	}
	// Output:
	// 11 12
	// 11 12
}

// After a fault a worker goes back to its last image, and on from there.
func ExampleWorker_Rollback() {
	worker, err := load().Start(js.Config{Limits: js.Limits{Fuel: 50_000_000, MemoryPages: 100}})
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()
	for _, source := range []string{"var n = 1", "n = 2; new ArrayBuffer(1e9)", "n"} {
		reply, err := worker.Evaluate(source)
		if err != nil {
			log.Fatal(err)
		}
		if reply.Outcome.Class == turn.Exit {
			fmt.Println(reply.Text)
			_, err = worker.Snapshot()
		} else {
			fmt.Println("fault:", reply.Outcome.Class)
			err = worker.Rollback()
		}
		if err != nil {
			log.Fatal(err)
		}
	}
	// Output:
	// undefined
	// fault: memory
	// 1
}

// Code asks its host, and waits for the answer.
func ExampleConfig_command() {
	worker, err := load().Start(js.Config{Command: func(message []byte) ([]byte, error) {
		if string(message) == "secret" {
			return nil, js.Refusal("not for you")
		}
		return append([]byte("the value of "), message...), nil
	}})
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()
	reply, err := worker.Evaluate(`
		const ask = (key) => {
			try {
				return new TextDecoder().decode(issueCommand(new TextEncoder().encode(key).buffer));
			} catch (e) {
				return String(e);
			}
		};
		[ask('x'), ask('secret')].join('; ')`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	// Output: the value of x; Error: not for you
}

// Lockdown runs once; every worker starts from the image.
func ExampleEngine_Lockdown() {
	bundle, err := os.ReadFile("../../.cache/programs/lockdown.bundle")
	if err != nil {
		log.Fatal(err)
	}
	engine := load()
	img, err := engine.Lockdown(js.Config{}, bundle)
	if err != nil {
		log.Fatal(err)
	}
	worker, err := engine.Restore(img, js.Config{Print: js.PrintTo(os.Stdout)})
	if err != nil {
		log.Fatal(err)
	}
	defer worker.Close()
	reply, err := worker.Evaluate(`
		console.log('objects are shown:', { a: [1n, new Map()] });
		[Object.isFrozen(Array.prototype), new Compartment({ x: 20 }).evaluate('x + 1')].join()`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	// Output:
	// objects are shown: { a: [ 1n, Map (0) {} ] }
	// true,21
}
