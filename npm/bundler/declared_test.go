package bundler

import (
	"slices"
	"strings"
	"testing"
)

func TestDeclared(t *testing.T) {
	for source, want := range map[string]string{
		"let n = 1":                                "n",
		"const a = 1, b = f(2, 3);":                "a b",
		"const { x, y: [z = 3], ...rest } = value": "rest x z",
		"class P extends Q {}":                     "P",
		"function f() { let inner; }":              "f",
		"async function g() {}":                    "g",
		"var v; v = 2;":                            "v",
		"letter = 1":                               "",
		"n + 1":                                    "",
		"let = 3":                                  "",
		"const c":                                  "",
	} {
		got := Declared(source)
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("%s declares %q, want %q", source, got, want)
		}
	}
}
