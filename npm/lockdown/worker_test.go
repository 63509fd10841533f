package lockdown_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"carrel/guest/js"
	"carrel/guest/js/bundle"
	"carrel/npm/lockdown"
	"carrel/npm/npmtest"
	"carrel/turn"
)

// worker starts JavaScript. What it prints is added to lines.
func worker(t *testing.T, lines *[]string) *js.Worker {
	t.Helper()
	w, err := npmtest.Engine(t).Start(js.Config{Print: func(line string) error { *lines = append(*lines, line); return nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func evaluate(t *testing.T, w *js.Worker, source string) string {
	t.Helper()
	reply, err := w.Evaluate(source)
	if err != nil || reply.Outcome.Class != turn.Exit || reply.Thrown != nil {
		t.Fatalf("%.300s: %v, %v, %v", source, reply.Outcome, reply.Thrown, err)
	}
	return reply.Text
}

func load(t *testing.T, w *js.Worker, text []byte) {
	t.Helper()
	b, err := bundle.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	script, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	evaluate(t, w, script)
}

// TestWorker evaluates the bundles where they are meant for, and looks at what
// the contract says of them.
func TestWorker(t *testing.T) {
	made, err := lockdown.Make(context.Background(), t.TempDir(), npmtest.Archives(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []lockdown.Variant{lockdown.Secure, lockdown.Debug} {
		t.Run(string(v), func(t *testing.T) {
			var lines []string
			w := worker(t, &lines)
			load(t, w, made[v])
			if len(lines) > 0 {
				t.Errorf("lockdown printed %q", lines)
			}
			prints := func(source string, want ...string) {
				t.Helper()
				lines = nil
				if evaluate(t, w, source); !slices.Equal(lines, want) {
					t.Errorf("%s printed %q, want %q", source, lines, want)
				}
			}
			prints(`console.log('text', [new Map([['foo', 'bar']]), 1234n, () => {}, Error('x')])`, "text [ Map (1) {'foo' => 'bar'}, 1_234n, [Function (anonymous)], [Error: x] ]")
			prints(`for (const level of ['debug', 'info', 'warn', 'error']) console[level](level); console.table([1]); console.trace()`, "debug", "info", "warn", "error")
			prints(`print(typeof harden, typeof HandledPromise, Object.isFrozen(Array.prototype), Object.isFrozen(console))`, "function function true true")
			prints(`try { new Compartment().evaluate('Date.now()') } catch (e) { print(e.name) }`, "TypeError")
			stack := evaluate(t, w, `(() => { try { null.x } catch (e) { return e.stack } })()`)
			if hasStack := strings.Contains(stack, "\n"); hasStack != (v == lockdown.Debug) {
				t.Errorf("stack %q", stack)
			}

			setInspector(t, w, made[lockdown.Inspector])
			for _, c := range inspections(t) {
				if got := evaluate(t, w, "inspect(("+c[0]+"))"); got != c[1] {
					t.Errorf("%s is inspected as %s, want %s", c[0], got, c[1])
				}
			}

			evaluate(t, w, `for (const name of Object.getOwnPropertyNames(globalThis)) {
				if (['print', 'console', 'globalThis', 'eval', 'Compartment'].includes(name)) continue;
				try { delete globalThis[name] } catch {}
			}`)
			prints(`console.log({ after: [1n, 'all'] })`, "{ after: [ 1n, 'all' ] }")
		})
	}
}

// setInspector makes a global inspect of object-inspect.js, as the lockdown bundle
// does for its console.
func setInspector(t *testing.T, w *js.Worker, module []byte) {
	t.Helper()
	b, err := bundle.Read(bytes.TrimSuffix(bytes.TrimPrefix(module, []byte("export default ")), []byte(";\n")))
	if err != nil {
		t.Fatal(err)
	}
	script, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	literal, err := json.Marshal(script)
	if err != nil {
		t.Fatal(err)
	}
	evaluate(t, w, "globalThis.inspect = new Compartment().evaluate("+string(literal)+").default; undefined")
}

// better are the values whose text tells more than that of Agoric's inspector.
var better = map[string]bool{
	"{ '': 1 }":     true,
	"new Date(NaN)": true,
	"new (class Table extends Map {})([[1, 2]])": true,
	"Object(Symbol('s'))":                        true,
}

// inspections are values and their texts.
func inspections(t *testing.T) (cases [][2]string) {
	t.Helper()
	text, err := os.ReadFile("test/inspect.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestPublished holds what Agoric published to the hashes of the time: they are
// what the bundles are drop-ins for.
func TestPublished(t *testing.T) {
	published := map[string]string{
		"lockdown.bundle":       "40a8ea620c16222d0aba5c07a9d2e549c959b702820529fdbcad5a649602ded5",
		"lockdown-debug.bundle": "cd535ceba6af5554b65596cc7e9258287f235a82f1a0c8b6932cf3758309c0b1",
		"object-inspect.js":     "bff989655121b9d5e4b17f3809eca79cf9c69922c801c0ea7c70363432aee6a8",
	}
	for name, want := range published {
		text := npmtest.Read(t, npmtest.Module(t, "@agoric/xsnap-lockdown/dist/"+name))
		if got := bundle.Hash(text); got != want {
			t.Errorf("%s has the SHA-256 %s, not %s", name, got, want)
		}
		if !strings.HasSuffix(name, ".bundle") {
			continue
		}
		b, err := bundle.Read(text)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := b.Encode(); err != nil || bundle.Hash(again) != want {
			t.Errorf("%s is written in another way, %v", name, err)
		}
		if id, err := b.ID(); err != nil || id != "b0-"+want {
			t.Errorf("%s has the ID %s, %v", name, id, err)
		}
	}
	var lines []string
	w := worker(t, &lines)
	load(t, w, npmtest.Read(t, npmtest.Module(t, "@agoric/xsnap-lockdown/dist/lockdown.bundle")))
	evaluate(t, w, `console.log([1234n])`)
	if !slices.Equal(lines, []string{"[ 1_234n ]"}) {
		t.Errorf("printed %q", lines)
	}
	setInspector(t, w, npmtest.Read(t, npmtest.Module(t, "@agoric/xsnap-lockdown/dist/object-inspect.js")))
	for _, c := range inspections(t) {
		if got := evaluate(t, w, "inspect(("+c[0]+"))"); got != c[1] && !better[c[0]] {
			t.Errorf("%s is inspected as %s, ours is %s", c[0], got, c[1])
		}
	}
}
