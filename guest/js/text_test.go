package js_test

import (
	"fmt"
	"strings"
	"testing"

	"carrel/guest/js"
)

// TestText has the coders of text and bytes.
func TestText(t *testing.T) {
	w := start(t, engines(t)["wazero"], js.Config{})
	evaluate(t, w, `
		var hex = (b) => Array.from(b instanceof ArrayBuffer ? new Uint8Array(b) : b, (n) => n.toString(16).padStart(2, '0')).join('');
		var bytes = (s) => new Uint8Array((s.match(/../g) ?? []).map((x) => parseInt(x, 16)));
		var show = (s) => JSON.stringify(s);
		var decode = (s, options) => show(new TextDecoder('utf-8', options).decode(bytes(s)));`)
	for _, test := range []struct{ source, want string }{
		{"hex(new TextEncoder().encode())", ""},
		{"hex(new TextEncoder().encode(undefined))", ""},
		{"hex(new TextEncoder().encode(null))", "6e756c6c"},
		{"hex(new TextEncoder().encode('aé€😀'))", "61c3a9e282acf09f9880"},
		{"hex(new TextEncoder().encode('\\0'))", "00"},
		{"hex(new TextEncoder().encode('\\ud800x\\udfff'))", "efbfbd78efbfbd"},
		{"hex(new TextEncoder().encode('\\ud83d\\ude00'))", "f09f9880"},
		{"new TextEncoder().encode('x') instanceof Uint8Array", "true"},
		{"new TextEncoder().encoding + new TextDecoder().encoding", "utf-8utf-8"},
		{"String(new TextEncoder()) + String(new TextDecoder())", "[object TextEncoder][object TextDecoder]"},

		{"show(new TextDecoder().decode())", `""`},
		{"decode('61c3a9e282acf09f9880')", `"aé€😀"`},
		{"decode('00')", `"\u0000"`},
		{"decode('efbbbf61')", `"a"`},
		{"decode('efbbbfefbbbf61')", "\"\ufeffa\""},
		{"decode('efbbbf61', { ignoreBOM: true })", "\"\ufeffa\""},
		{"decode('61ff62')", "\"a\ufffdb\""},
		{"decode('e282')", "\"\ufffd\""},
		{"decode('f09f98')", "\"\ufffd\""},
		{"decode('f09f9861')", "\"\ufffda\""},
		{"decode('eda080')", "\"\ufffd\ufffd\ufffd\""},
		{"decode('c080')", "\"\ufffd\ufffd\""},
		{"decode('e08080')", "\"\ufffd\ufffd\ufffd\""},
		{"decode('f4908080')", "\"\ufffd\ufffd\ufffd\ufffd\""},
		{"decode('f5')", "\"\ufffd\""},
		{"decode('61', { fatal: true })", `"a"`},
		{"try { decode('61ff', { fatal: true }) } catch (e) { String(e) }", "TypeError: not UTF-8"},
		{"try { new TextDecoder('latin1') } catch (e) { String(e) }", "RangeError: no encoding latin1, only utf-8"},
		{"show(new TextDecoder(' UTF8 ').decode(bytes('61')))", `"a"`},
		{"show(new TextDecoder().decode(bytes('616263').subarray(1, 2)))", `"b"`},
		{"show(new TextDecoder().decode(new DataView(bytes('616263').buffer, 1)))", `"bc"`},
		{"show(new TextDecoder().decode(new Uint16Array(bytes('61626364').buffer, 2)))", `"cd"`},
		{"try { new TextDecoder().decode('x') } catch (e) { String(e) }", "TypeError: expected ArrayBuffer or a view on one"},
		{"const d1 = new TextDecoder(); show(['e2', '82', 'acf0', '9f9880', 'e2'].map((s) => d1.decode(bytes(s), { stream: true })).concat(d1.decode()))", "[\"\",\"\",\"€\",\"😀\",\"\",\"\ufffd\"]"},
		{"const d2 = new TextDecoder(); show(['ef', 'bb', 'bf61', 'efbbbf62'].map((s) => d2.decode(bytes(s), { stream: true })).concat(d2.decode(), d2.decode(bytes('efbbbf63'))))", "[\"\",\"\",\"a\",\"\ufeffb\",\"\",\"c\"]"},

		{"const into = new Uint8Array(5); const r = new TextEncoder().encodeInto('é😀€', into); show(r) + hex(into)", `{"read":1,"written":2}c3a9000000`},
		{"const to = new Uint8Array(9); const s = new TextEncoder().encodeInto('é😀\\ud800', to); show(s) + hex(to)", `{"read":4,"written":9}c3a9f09f9880efbfbd`},

		{"Base64.encode(bytes('').buffer)", ""},
		{"Base64.encode(bytes('01').buffer)", "AQ=="},
		{"Base64.encode(bytes('fffefd').buffer)", "//79"},
		{"hex(Base64.decode('//79'))", "fffefd"},
		{"hex(Base64.decode('AQ=='))", "01"},
		{"hex(Base64.decode('AQ'))", "01"},
		{"hex(Base64.decode(' A\\nQ-I_D!'))", "010203"[:6]},
		{"hex(Base64.decode('A'))", ""},
		{"try { Base64.encode(bytes('01')) } catch (e) { String(e) }", "TypeError: expected ArrayBuffer"},
		{"Base64.decode('') instanceof ArrayBuffer", "true"},
	} {
		reply := evaluate(t, w, "{"+test.source+"}")
		if reply.Thrown != nil {
			t.Errorf("%s throws %s", test.source, reply.Thrown.Text)
		} else if reply.Text != test.want {
			t.Errorf("%s: %q, want %q", test.source, reply.Text, test.want)
		}
	}
}

// TestStrings has sources and texts that are hard to hand over.
func TestStrings(t *testing.T) {
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			var printed strings.Builder
			w := start(t, engine, js.Config{Print: js.PrintTo(&printed)})
			for _, text := range []string{"", "a", "\x00", "a\x00b", "é", "€😀", strings.Repeat("é\x00", 5000)} {
				source := fmt.Sprintf("var s = '%s'; print(s); s", strings.ReplaceAll(text, "\x00", `\0`))
				printed.Reset()
				if reply := evaluate(t, w, source); reply.Text != text || printed.String() != text+"\n" {
					t.Errorf("%.20q comes back as %.20q, and is printed as %.20q", text, reply.Text, printed.String())
				}
			}
			if reply := evaluate(t, w, "'\x00'.length + '\x00'"); reply.Text != "1\x00" {
				t.Errorf("a zero byte in a source: %+v", reply)
			}
			if reply := evaluate(t, w, "'\xff\xed\xa0\x80'"); !strings.Contains(reply.Text, "\ufffd") {
				t.Errorf("a source that is not UTF-8: %+v", reply)
			}
			if reply := evaluate(t, w, "throw new Error('\\ud800\\0')"); reply.Thrown == nil || reply.Thrown.Text != "Error: \ufffd\x00" {
				t.Errorf("an exception: %+v", reply.Thrown)
			}
		})
	}
}

// TestGlobals has the globals of the start compartment, and none beside them that
// is not ECMAScript's.
func TestGlobals(t *testing.T) {
	w := start(t, engines(t)["wazero"], js.Config{})
	want := "Base64 TextDecoder TextEncoder currentMeterLimit gc issueCommand performance print resetMeter setImmediate"
	if js.Embedded() != nil {
		want = strings.Replace(want, " ", " Compartment ", 1)
	}
	got := evaluate(t, w, `Object.getOwnPropertyNames(globalThis).filter((name) => {
		const value = globalThis[name];
		return !['eval', 'escape', 'unescape', 'InternalError'].includes(name) && !/^([A-Z].*)?(Error|Array|Set|Map|Stack|Buffer|View|Ref|Registry|Infinity|NaN)$/.test(name)
			&& !'Object Function Iterator Number Boolean String Math Reflect Symbol BigInt Date RegExp JSON Proxy Promise'.split(' ').includes(name)
			&& !/^(parse(Int|Float)|is(NaN|Finite)|(de|en)codeURI(Component)?|Infinity|NaN|undefined|globalThis)$/.test(name);
	}).sort().join(' ')`).Text
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, source := range []string{
		"Object.keys(globalThis).join()",
		"['newRealm', 'lockdown', 'harden', 'console', 'setTimeout', 'require', 'process', 'fetch', 'WebAssembly', 'handleCommand'].filter((name) => name in globalThis).join()",
		"'captureStackTrace' in Error ? 'captureStackTrace' : ''",
	} {
		if got := evaluate(t, w, source).Text; got != "" {
			t.Errorf("%s: %s", source, got)
		}
	}
	if got := show(evaluate(t, w, "import('x').then(() => 1, (e) => print(e)); new Error('x').stack.includes('<eval>')")); got != "boolean true" {
		t.Error(got)
	}
}
