package js_test

import (
	"strings"
	"testing"

	"carrel/guest/js"
)

func TestEvaluate(t *testing.T) {
	unknown := "handleCommand"
	if js.Embedded() != nil {
		unknown = "'handleCommand'" // QuickJS, not QuickJS-NG
	}
	for name, engine := range engines(t) {
		t.Run(name, func(t *testing.T) {
			for _, test := range []struct{ source, kind, text, thrown, printed string }{
				{"1 + 1", "number", "2", "", ""},
				{"'a\\u0000b' + '\\ud800é'", "string", "a\x00b\ufffdé", "", ""},
				{"let x = 1; var y = 2; x", "number", "1", "", ""},
				{"throw 1", "", "", "1", ""},
				{"throw undefined", "", "", "undefined", ""},
				{"throw { toString() { throw 1 } }", "", "", "an exception that has no text", ""},
				{"throw Object.create(null)", "", "", "an exception that has no text", ""},
				{"1 +", "", "", "SyntaxError: unexpected token in expression: ''", ""},
				{"print(1, 'x', Symbol('q'), null)", "undefined", "undefined", "", "1 x Symbol(q) null\n"},
				{"handleCommand", "", "", "ReferenceError: " + unknown + " is not defined", ""},
			} {
				var printed strings.Builder
				w := start(t, engine, js.Config{Print: js.PrintTo(&printed)})
				got := evaluate(t, w, test.source)
				thrown := ""
				if got.Thrown != nil {
					thrown = got.Thrown.Text
				}
				if got.Type != test.kind || got.Text != test.text || thrown != test.thrown || printed.String() != test.printed {
					t.Errorf("%s: %q %q, thrown %q, printed %q", test.source, got.Type, got.Text, thrown, printed.String())
				}
			}
		})
	}
}
