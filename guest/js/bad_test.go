package js_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"carrel/guest/js"
	"carrel/machine"
	"carrel/machine/wazero"
	"carrel/turn"
)

// TestFaults has code that never comes to an end by itself. None of it can catch
// what ends it, and the worker goes on after a rollback.
func TestFaults(t *testing.T) {
	const catch = "try { %s } catch { } print('caught')"
	for _, test := range []struct {
		name, source string
		class        turn.Class
	}{
		{"loop", "for (;;);", turn.Fuel},
		{"loop in a promise", "new Promise(() => { for (;;); })", turn.Fuel},
		{"finally", "for (;;) try { for (;;); } finally { continue }", turn.Fuel},
		{"indexOf", "'ab'.repeat(1e6).indexOf('ab'.repeat(5e5) + 'c')", turn.Fuel},
		{"regular expression", "/^(a+)+$/.test('a'.repeat(40) + 'b')", turn.Fuel},
		{"sort", "new Array(1e6).fill(0).map((_, n) => -n).sort((a, b) => { for (;;); })", turn.Fuel},
		{"JSON", "const a = []; for (let n = 0; n < 100; n++) a.push(a.slice()); JSON.stringify(a)", turn.Fuel},
		{"big integers", "let n = 3n; for (;;) n = n * n % (2n ** 4000n)", turn.Fuel},
		{"promise storm", "const f = () => { Promise.resolve().then(f); }; f()", turn.Fuel},
		{"two for one", "const f = () => { Promise.resolve().then(f); Promise.resolve().then(f); }; f()", turn.Fuel},
		{"immediates", "const f = () => { setImmediate(f); }; f()", turn.Fuel},
		{"rejections", "const f = () => { Promise.reject(1); Promise.resolve().then(f); }; f()", turn.Fuel},
		{"a getter for the result", "({ get result() { for (;;); } })", turn.Fuel},
		{"a text that never ends", "throw { toString() { for (;;); } }", turn.Fuel},
		{"a proxy without end", "let p = {}; for (;;) p = new Proxy(p, {})", turn.Fuel},

		{"calls", fmt.Sprintf(catch, "const f = () => f(); f()"), turn.Depth},
		{"calls with much on the stack", fmt.Sprintf(catch, "const f = (a, b, c, d, ...e) => f(a, b, c, d, 1); f()"), turn.Depth},
		{"methods", fmt.Sprintf(catch, "const o = { get x() { return this.x; } }; o.x"), turn.Depth},
		{"nesting in JSON", fmt.Sprintf(catch, "JSON.parse('['.repeat(1e6))"), turn.Depth},
		{"nesting in code", fmt.Sprintf(catch, "eval('['.repeat(1e5))"), turn.Depth},
		{"nesting in a regular expression", fmt.Sprintf(catch, "new RegExp('(?:'.repeat(1e5))"), turn.Depth},
		{"constructors", fmt.Sprintf(catch, "class A { constructor() { new A(); } } new A()"), turn.Depth},
		{"toString", fmt.Sprintf(catch, "const a = []; a[0] = { toString() { return a.join() + String(a[0]); } }; String(a)"), turn.Depth},

		{"buffers", fmt.Sprintf(catch, "const a = []; for (;;) a.push(new ArrayBuffer(1e6))"), turn.Memory},
		{"one large buffer", fmt.Sprintf(catch, "new ArrayBuffer(1e9)"), turn.Memory},
		{"one large array", fmt.Sprintf(catch, "Array.from({ length: 1e9 })"), turn.Memory},
		{"strings", fmt.Sprintf(catch, "const a = []; for (let n = 0;; n++) a.push(('x' + n).repeat(1e5))"), turn.Memory},
		{"objects", fmt.Sprintf(catch, "let o = null; for (;;) o = { o }"), turn.Memory},
		{"map", fmt.Sprintf(catch, "const m = new Map(); for (let n = 0;; n++) m.set(n, new Uint8Array(1e4))"), turn.Memory},
		{"finally with memory", "const f = () => { try { new ArrayBuffer(1e9) } finally { return 1 } }; f()", turn.Memory},
		{"caught, and over", "try { new ArrayBuffer(1e9) } catch { } 1", turn.Memory},
		{"caught in a promise", "Promise.resolve().then(() => new ArrayBuffer(1e9)).catch(() => print('never')); 1", turn.Memory},

		{"an exception in setImmediate", "setImmediate(() => { throw new Error('x') }); 1", turn.Unreachable},
	} {
		t.Run(test.name, func(t *testing.T) {
			limits := js.Limits{Fuel: 300_000_000}
			if test.class == turn.Memory {
				limits.MemoryPages = 64
			}
			for name, engine := range engines(t) {
				if name == "interpreter" && test.class != turn.Memory {
					continue // it is slow; it has room for 2,000 frames, and says that it cannot
				}
				w := start(t, engine, js.Config{
					Limits: limits,
					Print:  func(line string) error { t.Errorf("printed %q", line); return nil },
					Warn:   func(string) error { return nil },
				})
				reply, err := w.Evaluate("globalThis.before = 1; " + test.source)
				if err != nil {
					t.Fatal(err)
				}
				if reply.Outcome.Class != test.class || reply.Outcome.Fuel != limits.Fuel {
					t.Errorf("%s: %+v, want %v", name, reply.Outcome, test.class)
				}
				if _, err := w.Evaluate("1"); !errors.Is(err, js.ErrFaulted) {
					t.Errorf("%s: after a fault: %v", name, err)
				}
				if err := w.Rollback(); err != nil {
					t.Fatal(err)
				}
				if after := evaluate(t, w, "typeof before"); after.Text != "undefined" {
					t.Errorf("%s: after a rollback there is a %s", name, after.Text)
				}
			}
		})
	}
}

// TestLargeSource has sources of 100 MB: one that is little else but a comment,
// and one that is too much to hold.
func TestLargeSource(t *testing.T) {
	engine := engines(t)["wazero"]
	w := start(t, engine, js.Config{Limits: js.Limits{Fuel: 10_000_000_000, MemoryPages: 8192}})
	if reply := evaluate(t, w, "/*"+strings.Repeat("x", 100_000_000)+"*/ 7"); reply.Text != "7" {
		t.Errorf("%+v", reply)
	}
	if reply := evaluate(t, w, strings.Repeat("(", 1000)); reply.Thrown == nil {
		t.Errorf("%+v", reply)
	}
	for source, class := range map[string]turn.Class{
		strings.Repeat("x", 100_000_000): turn.Fuel, // a name, which the engine makes longer bit by bit
		strings.Repeat("x;", 50_000_000): turn.Fuel,
	} {
		reply, err := w.Evaluate(source)
		if err != nil || reply.Outcome.Class != class {
			t.Errorf("%.10s: %+v, %v", source, reply.Outcome, err)
		}
		if err := w.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBadEngines(t *testing.T) {
	m, err := wazero.Compiled(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	empty := []byte("\x00asm\x01\x00\x00\x00")
	if _, err := js.Find(empty); err == nil || !strings.Contains(err.Error(), "is not known; known are: quickjs-wasi 3.6.2") {
		t.Error(err)
	}
	program, err := machine.Load(context.Background(), m, empty)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	if _, err := js.New(program, js.Unknown(empty)); err == nil || !strings.Contains(err.Error(), "it does not export _initialize, qjs_init, qjs_eval") {
		t.Error(err)
	}
}

func TestBadConfig(t *testing.T) {
	engine := engines(t)["wazero"]
	for _, config := range []js.Config{
		{Seed: make([]byte, js.SeedBytesMax+1)},
		{Now: 1 << 63},
		{Limits: js.Limits{Compute: js.ComputeMax + 1}},
		{Limits: js.Limits{MemoryPages: 1}},
	} {
		if _, err := engine.Start(config); err == nil {
			t.Errorf("%+v is taken", config)
		}
	}
}

// TestBadBundles has what is no bundle, and bundles that fail.
func TestBadBundles(t *testing.T) {
	engine := engines(t)["wazero"]
	for _, test := range []struct{ bundle, want string }{
		{"x", "bundle: invalid character"},
		{"{}", "no moduleFormat"},
		{`{"moduleFormat": "endoZipBase64", "endoZipBase64": "AAAA", "endoZipBase64Sha512": "` + strings.Repeat("0", 128) + `"}`, "make it one with carrel bundle"},
		{`{"moduleFormat": "getExport", "source": "() => { throw new Error('no') }"}`, "Error: no"},
		{`{"moduleFormat": "getExport", "source": "() => { for (;;); }"}`, "fuel"},
		{`{"moduleFormat": "getExport", "source": "1"}`, "TypeError: not a function"},
	} {
		_, err := engine.Lockdown(js.Config{Limits: js.Limits{Fuel: 10_000_000}}, []byte(test.bundle))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.bundle, err)
		}
	}
	if _, err := engine.Lockdown(js.Config{}, make([][]byte, js.BundlesMax+1)...); err == nil {
		t.Error("any number of bundles")
	}
}
