package bundler

import "testing"

func TestLasting(t *testing.T) {
	for line, want := range map[string]string{
		"let n = 1":                                "let n = 1;\nglobalThis.n = n;\nundefined",
		"const a = 1, b = f(2, 3);":                "const a = 1, b = f(2, 3);\nglobalThis.a = a;\nglobalThis.b = b;\nundefined",
		"const a = 1; const b = a\nb":              "const a = 1;\nconst b = a;\nconst $value = (b\n);\nglobalThis.a = a;\nglobalThis.b = b;\n$value",
		"let n = 1; n++ // counts":                 "let n = 1;\nconst $value = (n++\n);\nglobalThis.n = n;\n$value",
		"let $value = 1; ({ $value })":             "let $value = 1;\nconst $value$ = (({ $value })\n);\nglobalThis.$value = $value;\n$value$",
		"const { x, y: [z = 3], ...rest } = value": "const { x, y: [z = 3], ...rest } = value;\nglobalThis.rest = rest;\nglobalThis.x = x;\nglobalThis.z = z;\nundefined",
		"let [z] = [1], w = 2":                     "let [z] = [1], w = 2;\nglobalThis.w = w;\nglobalThis.z = z;\nundefined",
		"class P extends Q {}":                     "class P extends Q {\n}\nglobalThis.P = P;\nundefined",
		"function f() { let m; }":                  "function f() {\n  let m;\n}\nglobalThis.f = f;\nundefined",
		"async function g() {} g()":                "async function g() {\n}\nconst $value = (g()\n);\nglobalThis.g = g;\n$value",
		"const s = `a\nlet t = 1`":                 "const s = \"a\\nlet t = 1\";\nglobalThis.s = s;\nundefined",
		"if (x) { let y }":                         "if (x) { let y }",
		"letter = 1":                               "letter = 1",
		"n + 1":                                    "n + 1",
		"let = 3":                                  "let = 3",
		"const c":                                  "const c",
		"throw 1":                                  "throw 1",
		"let d; if (d) f()":                        "let d;\nif (d) f();\nglobalThis.d = d;\nundefined",
	} {
		if got := Lasting(line); got != want {
			t.Errorf("%s:\n%q, want\n%q", line, got, want)
		}
	}
}
