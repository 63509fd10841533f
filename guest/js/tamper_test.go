package js_test

import (
	"strings"
	"testing"

	"carrel/guest/js"
)

// tamper replaces whatever it finds on the start compartment's globals.
const tamper = `
const bad = () => { throw new Error('tampered') };
const real = { ownKeys: Reflect.ownKeys, define: Object.defineProperty, own: Object.getOwnPropertyDescriptor };
const kept = new Set(['eval', 'globalThis', 'handleCommand', 'print', 'issueCommand', 'setImmediate', 'TextEncoder', 'TextDecoder', 'Base64', 'gc',
  'currentMeterLimit', 'resetMeter', 'performance', 'undefined', 'NaN', 'Infinity']);
const globals = real.ownKeys(globalThis).filter((k) => !kept.has(k)).map((k) => [k, globalThis[k]]);
const seen = new Set();
const spoil = (o) => {
  if (o === null || (typeof o !== 'object' && typeof o !== 'function') || seen.has(o)) return;
  seen.add(o);
  for (const key of real.ownKeys(o)) {
    const d = real.own(o, key);
    if ('value' in d) spoil(d.value); else { spoil(d.get); spoil(d.set); }
    if (d.configurable && key !== 'constructor') todo.push([o, key]);
  }
};
const todo = [];
for (const [, value] of globals) spoil(value);
spoil(Object.getPrototypeOf(Uint8Array));
spoil(Object.getPrototypeOf(function* () {}));
spoil(Object.getPrototypeOf([][Symbol.iterator]()));
spoil(Object.getPrototypeOf(async () => {}));
const names = ['value', 'done', 'then', 'get', 'set', 'buffer', 'length', 'callback', 'args', 'next', 'console', 'constructor'];
const setter = { set: bad, get: bad, configurable: true };
for (const [o, key] of todo) { try { real.define(o, key, { value: bad, configurable: true, writable: true }); } catch {} }
for (const [key] of globals) { try { real.define(globalThis, key, { value: bad, configurable: true, writable: true }); } catch {} }
for (let n = 0; n < 20; n++) { try { real.define(arrays, n, setter); real.define(objects, n, setter); } catch {} }
for (const name of names) { try { real.define(objects, name, setter); } catch {} }
`

// TestTamper has what the shim gives work after user code replaced all else.
func TestTamper(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			var printed strings.Builder
			w := start(t, engine, js.Config{
				Print:   js.PrintTo(&printed),
				Command: func(message []byte) ([]byte, error) { return append(message, '!'), nil },
			})
			evaluate(t, w, "var Uint8Array_ = Uint8Array, arrays = Array.prototype, objects = Object.prototype;")
			evaluate(t, w, handler)
			if spoiled := evaluate(t, w, tamper+"; typeof Array.prototype.push + [0, 0].map"); spoiled.Thrown == nil {
				t.Errorf("nothing is spoiled: %+v", spoiled)
			}
			for range 2 {
				reply, err := w.Deliver([]byte("abc"))
				if got := show(reply); err != nil || got != "bytes c3a961626321" {
					t.Fatalf("%s, %v", got, err)
				}
			}
			want := "got abc 5 undefined\n2 3 97 195 169 0 true éabc\nlater x\n"
			if printed.String() != want+want {
				t.Errorf("printed %q", printed.String())
			}
			if got := show(evaluate(t, w, "1 + 1")); got != "number 2" {
				t.Error(got)
			}
			if got := show(evaluate(t, w, "throw 5")); got != "thrown 5" {
				t.Error(got)
			}
		})
	}
}

const handler = `globalThis.handleCommand = (() => {
	const decoder = new TextDecoder(), strict = new TextDecoder('utf-8', { fatal: true }), encoder = new TextEncoder(), { encode, decode } = Base64;
	return (message) => {
		const text = decoder.decode(message);
		print('got', text, 5, undefined);
		const bytes = encoder.encode('é' + text), buffer = decode(encode(issueCommand(decode('w6lhYmM=')))), report = {};
		setImmediate((a) => { print('later', a); report.result = buffer; }, 'x');
		const into = new Uint8Array_(4);
		const { read, written } = encoder.encodeInto('aé€', into);
		print(read, written, into[0], into[1], into[2], into[3], performance.now() >= 0, strict.decode(bytes));
		resetMeter(currentMeterLimit(), 5);
		gc();
		return report;
	};
})()`
