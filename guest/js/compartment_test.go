package js_test

import (
	"strconv"
	"testing"

	"carrel/guest/js"
)

// TestCompartment has compartments before lockdown: globals of their own, and the
// intrinsics of all.
func TestCompartment(t *testing.T) {
	if js.Embedded() == nil {
		w := start(t, engines(t)["wazero"], js.Config{})
		if got := evaluate(t, w, "typeof Compartment").Text; got != "undefined" {
			t.Errorf("Compartment is %s", got)
		}
		return
	}
	for name, engine := range engines(t) {
		w := start(t, engine, js.Config{})
		evaluate(t, w, "globalThis.c = new Compartment({ n: 1 }); globalThis.show = (v) => ({ result: new TextEncoder().encode(String(v)).buffer })")
		for _, test := range []struct{ source, want string }{
			{"new Compartment().evaluate('print(1)')", "ReferenceError: 'print' is not defined"},
			{"c.evaluate('n')", "1"},
			{"c.evaluate('globalThis') === c.globalThis", "true"},
			{"c.evaluate('globalThis') === globalThis", "false"},
			{"c.evaluate('Object === globalThis.Object && [] instanceof Array')", "true"},
			{"c.evaluate('[]') instanceof Array && c.evaluate('new TypeError') instanceof TypeError", "true"},
			{"c.evaluate('var v = 2; let l = 3; v'), c.evaluate('v')", "2"},
			{"typeof v", "undefined"},
			{"c.evaluate('eval(\"n\")') + c.evaluate('(0, eval)(\"n\")') + c.evaluate('Function(\"return n\")()') + c.evaluate('(() => { let n = 5; return eval(\"n\") })()')", "8"},
			{"c.evaluate('Function.prototype') === Function.prototype", "true"},
			{"c.evaluate('(function () {}) instanceof Function')", "true"},
			{"c.evaluate('new Compartment({ m: n + 1 }).evaluate(\"typeof n + m\")')", "undefined2"},
			{"c.globalThis.later = 4, c.evaluate('later')", "4"},
			{"c.evaluate('this') === c.globalThis", "true"},
			{"new Compartment({ __options__: true, globals: { g: 6 } }).evaluate('g')", "6"},
			{"c.evaluate('throw 7')", "7"},
			{"c.evaluate('}')", "SyntaxError: unexpected token in expression: '}'"},
			{"Compartment()", "TypeError: class constructors must be invoked with 'new'"},
			{"String(c)", "[object Compartment]"},
			{"c.evaluate('Object.prototype.seen = 1'); const s = ({}).seen; delete Object.prototype.seen; s", "1"},
		} {
			reply := evaluate(t, w, "let r; try { r = (0, eval)("+strconv.Quote(test.source)+") } catch (e) { r = e } show(r)")
			if got := string(reply.Bytes); got != test.want {
				t.Errorf("%s: %s gave %q, want %q", name, test.source, got, test.want)
			}
		}
		before := w.Allocations()
		evaluate(t, w, "gc()")
		evaluate(t, w, "for (let n = 0; n < 50; n++) new Compartment().evaluate('globalThis.self = globalThis')")
		evaluate(t, w, "gc()")
		if after := w.Allocations(); after > before+500 {
			t.Errorf("%s: compartments stay: %d allocations, before %d", name, after, before)
		}
	}
}
