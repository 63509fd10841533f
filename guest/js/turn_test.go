package js_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"carrel/guest/js"
	"carrel/turn"
)

// TestOrder is the order of a turn: the code, all promise jobs, then what
// setImmediate keeps one by one with the promise jobs of each; then the result.
func TestOrder(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			var lines []string
			w := start(t, engine, js.Config{Print: func(line string) error { lines = append(lines, line); return nil }})
			reply := evaluate(t, w, `
				const report = { get result() { print('result'); Promise.resolve().then(() => print('after')); return 7; } };
				setImmediate((...args) => {
					print('immediate 1', ...args);
					Promise.resolve().then(() => print('job of 1')).then(() => print('job of the job of 1'));
					setImmediate(() => print('immediate 3'));
				}, 'a', 'b');
				setImmediate(() => print('immediate 2'));
				Promise.resolve().then(() => print('job 1')).then(() => print('job 3'));
				(async () => { print('async'); await null; print('job 2'); })();
				print('code');
				report`)
			want := strings.Split("async,code,job 1,job 2,job 3,immediate 1 a b,job of 1,job of the job of 1,immediate 2,immediate 3,result,after", ",")
			if !slices.Equal(lines, want) {
				t.Errorf("%q, want %q", lines, want)
			}
			if reply.Text != "7" {
				t.Errorf("%+v", reply)
			}
		})
	}
}

// TestResult is what a turn's result is taken to be.
func TestResult(t *testing.T) {
	engine := engines(t)["wazero"]
	w := start(t, engine, js.Config{})
	for source, want := range map[string]string{
		"new Uint8Array([1, 2]).buffer":            "bytes 0102",
		"new Uint8Array([1, 2])":                   "object",
		"new ArrayBuffer(0)":                       "bytes ",
		"({ result: new Uint8Array([3]).buffer })": "bytes 03",
		"({ result: 5 })":                          "number 5",
		"({ result: undefined })":                  "undefined undefined",
		"({})":                                     "object",
		"() => 1":                                  "function",
		"Symbol('q')":                              "symbol Symbol(q)",
		"12n":                                      "bigint 12",
		"null":                                     "object null",
		"const r1 = {}; Promise.resolve().then(() => { r1.result = 6 }); r1":                "number 6",
		"const r2 = {}; setImmediate(() => { r2.result = new Uint8Array([9]).buffer }); r2": "bytes 09",
		"({ get result() { throw new TypeError('no') } })":                                  "thrown TypeError: no",
		"new Proxy({}, { has() { throw 5 } })":                                              "thrown 5",
		"const b = new ArrayBuffer(8); b.transfer(); b":                                     "bytes ",
		"Object.create({ result: 1 })":                                                      "number 1",
	} {
		if got := show(evaluate(t, w, source)); got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

func show(r js.Reply) string {
	switch {
	case r.Outcome.Class != turn.Exit:
		return fmt.Sprintf("%v %s", r.Outcome.Class, r.Outcome.Text)
	case r.Thrown != nil:
		return "thrown " + r.Thrown.Text
	case r.Type == js.TypeBytes:
		return fmt.Sprintf("bytes %x", r.Bytes)
	case r.Text == "":
		return r.Type
	}
	return r.Type + " " + r.Text
}

// TestDeliver is how a message gets in: to what handleCommand is at the time.
func TestDeliver(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			w := start(t, engine, js.Config{})
			for _, step := range []struct{ source, want string }{
				{"", "thrown TypeError: not a function"},
				{"globalThis.handleCommand = 5", "thrown TypeError: not a function"},
				{"globalThis.handleCommand = (m) => m", "bytes 010203"},
				{"globalThis.handleCommand = (m) => { m.transfer(); return m }", "bytes "},
				{"globalThis.handleCommand = function () { return String(this === globalThis) }", "string true"},
				{"globalThis.handleCommand = async (m) => m.byteLength", "object"},
				{"globalThis.handleCommand = (m) => { throw m.byteLength }", "thrown 3"},
				{"Object.defineProperty(globalThis, 'handleCommand', { get() { throw 1 } })", "thrown 1"},
			} {
				evaluate(t, w, step.source)
				reply, err := w.Deliver([]byte{1, 2, 3})
				if got := show(reply); err != nil || got != step.want {
					t.Errorf("%s: %s, want %s (%v)", step.source, got, step.want, err)
				}
			}
		})
	}
	w := start(t, engines(t)["wazero"], js.Config{})
	evaluate(t, w, "globalThis.handleCommand = (m) => m")
	for _, n := range []int{0, 1, 4095, 4096, 4097, 1 << 20} {
		message := make([]byte, n)
		for i := range message {
			message[i] = byte(i * 7)
		}
		reply, err := w.Deliver(message)
		if err != nil || !slices.Equal(reply.Bytes, message) {
			t.Errorf("%d bytes come back as %d, %v", n, len(reply.Bytes), err)
		}
	}
}

// TestEval is what Evaluate gives its source to.
func TestEval(t *testing.T) {
	w := start(t, engines(t)["wazero"], js.Config{})
	evaluate(t, w, "let mine = 1; var ours = 2; function f() { return 3 }")
	if got := show(evaluate(t, w, "typeof mine + typeof ours + f()")); got != "string undefinednumber3" {
		t.Error(got)
	}
	evaluate(t, w, "globalThis.eval = (source) => source + '!'")
	if got := show(evaluate(t, w, "anything")); got != "string anything!" {
		t.Error(got)
	}
}

func TestCommand(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			failure := errors.New("the host has failed")
			var w *js.Worker
			w = start(t, engine, js.Config{Command: func(message []byte) ([]byte, error) {
				switch string(message) {
				case "refuse":
					return nil, js.Refusal("not you")
				case "fail":
					return nil, failure
				case "again":
					_, err := w.Evaluate("1")
					return []byte(err.Error()), nil
				case "roll back":
					return []byte(w.Rollback().Error()), nil
				case "close":
					return []byte(w.Close().Error()), nil
				case "snapshot":
					_, err := w.Snapshot()
					return []byte(err.Error()), nil
				}
				return append(message, message...), nil
			}})
			const ask = "const ask = (s) => new TextDecoder().decode(issueCommand(new TextEncoder().encode(s).buffer)); "
			for _, test := range []struct{ source, want string }{
				{ask + "ask('ab')", "string abab"},
				{ask + "ask('')", "string "},
				{ask + "ask('x'.repeat(1e5)).length", "number 200000"},
				{ask + "try { ask('refuse') } catch (e) { e + '' }", "string Error: not you"},
				{ask + "ask('again')", "string the worker is in a turn"},
				{ask + "ask('roll back')", "string the worker is in a turn"},
				{ask + "ask('close')", "string the worker is in a turn"},
				{ask + "ask('snapshot')", "string the worker is in a turn"},
				{"issueCommand()", "thrown TypeError: expected ArrayBuffer"},
				{"issueCommand('x')", "thrown TypeError: expected ArrayBuffer"},
				{"issueCommand(new Uint8Array(3))", "thrown TypeError: expected ArrayBuffer"},
			} {
				if got := strings.TrimSpace(show(evaluate(t, w, test.source))); got != strings.TrimSpace(test.want) {
					t.Errorf("%s: %s, want %s", test.source, got, test.want)
				}
			}
			reply, err := w.Evaluate(ask + "try { ask('fail') } catch {}")
			if err != nil || reply.Outcome.Class != turn.Worker || !errors.Is(w.Err(), failure) {
				t.Errorf("%+v, %v, %v", reply.Outcome, err, w.Err())
			}
		})
	}
	w := start(t, engines(t)["wazero"], js.Config{})
	if got := show(evaluate(t, w, "issueCommand(new ArrayBuffer(1))")); got != "thrown Error: nobody answers commands" {
		t.Error(got)
	}
}

// TestClosed has a worker that was closed.
func TestClosed(t *testing.T) {
	w := start(t, engines(t)["wazero"], js.Config{})
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	_, evaluated := w.Evaluate("1")
	_, snapshot := w.Snapshot()
	for _, err := range []error{evaluated, snapshot, w.Rollback()} {
		if !errors.Is(err, js.ErrClosed) {
			t.Error(err)
		}
	}
}

// TestPrintFails has a host that cannot print.
func TestPrintFails(t *testing.T) {
	failure := errors.New("the pipe is closed")
	w := start(t, engines(t)["wazero"], js.Config{Print: func(string) error { return failure }})
	reply, err := w.Evaluate("print(1)")
	if err != nil || reply.Outcome.Class != turn.Worker || !errors.Is(w.Err(), failure) {
		t.Errorf("%+v, %v, %v", reply.Outcome, err, w.Err())
	}
	if err := w.Rollback(); err != nil || w.Err() != nil {
		t.Errorf("%v, %v", err, w.Err())
	}
}

// TestStop stops a turn from outside.
func TestStop(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			var w *js.Worker
			w = start(t, engine, js.Config{Print: func(string) error { w.Stop(); return nil }})
			reply, err := w.Evaluate("print(1); for (;;);")
			if err != nil || reply.Outcome.Class != turn.Stopped {
				t.Errorf("%+v, %v", reply.Outcome, err)
			}
			if err := w.Rollback(); err != nil {
				t.Fatal(err)
			}
			if got := show(evaluate(t, w, "1")); got != "number 1" {
				t.Error(got)
			}
		})
	}
}

func TestRejections(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct{ source, want string }{
				{"Promise.reject(new Error('a')); 1", "Unhandled exception Error: a"},
				{"Promise.reject(1).catch(() => {})", ""},
				{"const p1 = Promise.reject(2); setImmediate(() => p1.catch(() => {}))", ""},
				{"(async () => { throw 3 })()", "Unhandled exception 3"},
				{"Promise.reject(4); Promise.reject(5)", "Unhandled exception 4|Unhandled exception 5"},
				{"Promise.reject({ toString() { Promise.reject(7); return '6' } })", "Unhandled exception 6|Unhandled exception 7"},
				{"globalThis.console = { error(...args) { print('console', ...args) } }; Promise.reject(8)", "console UnhandledPromiseRejectionWarning: 8"},
				{"globalThis.console = { error() { throw 1 } }; Promise.reject(9)", "Unhandled exception 9"},
			} {
				var lines []string
				w := start(t, engine, js.Config{Print: func(line string) error { lines = append(lines, line); return nil }})
				evaluate(t, w, test.source)
				if got := strings.Join(lines, "|"); got != test.want {
					t.Errorf("%s: %s, want %s", test.source, got, test.want)
				}
			}
			lines := 0
			w := start(t, engine, js.Config{Print: func(string) error { lines++; return nil }})
			evaluate(t, w, "for (let n = 0; n < 1000; n++) Promise.reject(n)")
			if lines != js.RejectionsMax+1 {
				t.Errorf("%d lines", lines)
			}
		})
	}
}

// TestMeter has work that is free.
func TestMeter(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			free := func(work int) js.Reply {
				w := start(t, engine, js.Config{Limits: js.Limits{Compute: 2_000_000}})
				evaluate(t, w, fmt.Sprintf("globalThis.work = %d", work))
				return evaluate(t, w, `
					const limit = currentMeterLimit(), before = resetMeter(0, 0);
					for (let n = 0; n < work; n++);
					const off = currentMeterLimit();
					resetMeter(limit, before);
					[limit, off, currentMeterLimit()].join()`)
			}
			one, other := free(10_000), free(90_000)
			if one.Text != "2000000,0,2000000" || one.Compute == 0 || one.Compute > 400_000 {
				t.Errorf("%+v", one)
			}
			if one.Compute != other.Compute {
				t.Errorf("free work costs %d, more of it %d", one.Compute, other.Compute)
			}
			if one.Outcome.Fuel+8_000_000 > other.Outcome.Fuel {
				t.Errorf("free work takes no fuel: %d, %d", one.Outcome.Fuel, other.Outcome.Fuel)
			}

			w := start(t, engine, js.Config{Limits: js.Limits{Fuel: 50_000_000, Compute: 1_000_000}})
			for _, test := range []struct {
				source string
				class  turn.Class
			}{
				{"1", turn.Exit},
				{"for (;;);", turn.Fuel},
				{"resetMeter(0, 0); for (let n = 0; n < 10000; n++);", turn.Exit},
				{"resetMeter(0, 0); for (;;);", turn.Fuel},
				{"resetMeter(100, 200)", turn.Fuel},
				{"resetMeter(1e18, 0); for (;;);", turn.Fuel},
				{"resetMeter(NaN, -1); currentMeterLimit()", turn.Exit},
				{"resetMeter(); currentMeterLimit()", turn.Exit},
				{"resetMeter(3e6, 2e6); for (let n = 0; n < 1000; n++);", turn.Exit},
				{"resetMeter(3e6, 2e6); for (let n = 0; n < 10000; n++);", turn.Fuel},
			} {
				reply, err := w.Evaluate(test.source)
				if err != nil || reply.Outcome.Class != test.class {
					t.Errorf("%s: %+v, %v", test.source, reply, err)
				}
				if err := w.Rollback(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// TestMeterLimit has the limit of a turn at each unit around what it takes.
func TestMeterLimit(t *testing.T) {
	engine := engines(t)["wazero"]
	w := start(t, engine, js.Config{})
	const source = "for (let n = 0; n < 100; n++);"
	need := evaluate(t, w, source).Compute
	for limit := need - 2; limit <= need+2; limit++ {
		if err := w.Rollback(); err != nil {
			t.Fatal(err)
		}
		if err := w.SetLimits(js.Limits{Compute: limit}); err != nil {
			t.Fatal(err)
		}
		reply, err := w.Evaluate(source)
		if want := limit >= need; err != nil || (reply.Outcome.Class == turn.Exit) != want {
			t.Errorf("of %d units with %d: %+v, %v", need, limit, reply.Outcome, err)
		}
	}
}

// TestClock has time go on by reading, and by what the host says.
func TestClock(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			w := start(t, engine, js.Config{Now: 1_700_000_000_123_456_789})
			if got := show(evaluate(t, w, "[Date.now(), new Date().toISOString(), performance.now() - Date.now() < 1, new Date().getTimezoneOffset()].join(' ')")); got != "string 1700000000123 2023-11-14T22:13:20.123Z true 0" {
				t.Error(got)
			}
			for _, step := range []struct {
				now  uint64
				want string
			}{{1_700_000_005_000_000_000, "number 1700000005000"}, {5, "number 1700000005000.001"}, {1_700_000_006_000_000_000, "number 1700000006000"}} {
				if err := w.SetNow(step.now); err != nil {
					t.Fatal(err)
				}
				if got := show(evaluate(t, w, "performance.now()")); got != step.want {
					t.Errorf("%s, want %s", got, step.want)
				}
			}
			if err := w.SetNow(1 << 63); err == nil {
				t.Error("any time is taken")
			}
		})
	}
}

// TestSeed has Math.random depend on the seed, and on nothing else.
func TestSeed(t *testing.T) {
	seen := map[string]string{}
	for name, engine := range engines(t) {
		for _, seed := range []string{"", "a", "b"} {
			w := start(t, engine, js.Config{Seed: []byte(seed)})
			got := evaluate(t, w, "[Math.random(), Math.random()].join()").Text
			if before, ok := seen[seed]; ok && before != got {
				t.Errorf("seed %q on %s: %s, elsewhere %s", seed, name, got, before)
			}
			seen[seed] = got
		}
	}
	if seen[""] == seen["a"] || seen["a"] == seen["b"] {
		t.Errorf("seeds make no difference: %v", seen)
	}
}
