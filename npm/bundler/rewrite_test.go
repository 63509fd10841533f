package bundler

import (
	"strings"
	"testing"

	"github.com/evanw/esbuild/pkg/api"
)

func TestRewrite(t *testing.T) {
	for _, c := range []struct{ script, want string }{
		// Literals and comments.
		{`x = "import('y')";`, `x = "impor\x74('y')";`},
		{`x = '<!-- -->';`, `x = '<!-\x2d --\x3e';`},
		{`x = "\\"; y = "eval(1)";`, `x = "\\"; y = "eva\x6c(1)";`},
		{"x = `import(${y(\"eval(\", `-->${{ a: 1 }}import(`)})-->`;", "x = `impor\\x74(${y(\"eva\\x6c(\", `--\\x3e${{ a: 1 }}impor\\x74(`)})--\\x3e`;"},
		{"x = String.raw`import(`;", "x = String.raw`import(`;"},
		{"return `import(`;", "return `impor\\x74(`;"},
		{"/* @type {import('x')} */\n// eval (\nx;", "/* @type {imported('x')} */\n// evaluate (\nx;"},
		{`x = /import(y)/; z = "-->";`, `x = /impor\x74(y)/; z = "--\x3e";`},
		{`if (x) /["]-->/.test(y);`, `if (x) /["]--\x3e/.test(y);`},
		{`x = /[/"]/; y = "-->";`, `x = /[/"]/; y = "--\x3e";`},
		{`x = a / b; y = "-->" / c;`, `x = a / b; y = "--\x3e" / c;`},
		{`x = f(a) / b / "-->";`, `x = f(a) / b / "--\x3e";`},
		{`x = i++ / 2; y = "-->"; z /= 3;`, `x = i++ / 2; y = "--\x3e"; z /= 3;`},
		{`x = o.return / 2 / "-->";`, `x = o.return / 2 / "--\x3e";`},
		{`return /-->/;`, `return /--\x3e/;`},
		{"x = tag`-->${y}-->`;", "x = tag`-->${y}-->`;"},
		// Code is left alone.
		{`import("x"); eval(y); a-- > b; a < !--b;`, `import("x"); eval(y); a-- > b; a < !--b;`},
		{`x = "important"; y = "evaluate";`, `x = "important"; y = "evaluate";`},
		// Names.
		{helper("__name(f, \"f\");\nx;"), helper("\nx;")},
		{helper("__name(f2, \"f\");\n"), helper("__name(f2, \"f\");\n")},
		{helper("var f = /* @__PURE__ */ __name((a) => g(a), \"f\");"), helper("var f = (a) => g(a);")},
		{helper("var f2 = /* @__PURE__ */ __name((a) => g(a), \"f\");"), helper("var f2 = /* @__PURE__ */ __name((a) => g(a), \"f\");")},
		{helper("x.y = /* @__PURE__ */ __name(function f() { return 1; }, \"f\");"), helper("x.y = function f() { return 1; };")},
		{helper("x.f = /* @__PURE__ */ __name(async (a) => 1, \"f\");"), helper("x.f = /* @__PURE__ */ __name(async (a) => 1, \"f\");")},
		{helper("x = { f: /* @__PURE__ */ __name(async function* () { }, \"f\") };"), helper("x = { f: /* @__PURE__ */ __name(async function* () { }, \"f\") };")},
		{helper("x = { f: /* @__PURE__ */ __name(async function*() { }, \"f\") };"), helper("x = { f: async function*() { } };")},
		{helper("x = /* @__PURE__ */ __name(async function f() { }, \"f\");"), helper("x = async function f() { };")},
		{helper("var f = /* @__PURE__ */ __name(() => /* @__PURE__ */ __name(function g() { return \")\"; }, \"g\"), \"f\");"), helper("var f = () => function g() { return \")\"; };")},
		{helper("x = c ? f : /* @__PURE__ */ __name(() => 1, \"f\");"), helper("x = c ? f : /* @__PURE__ */ __name(() => 1, \"f\");")},
		{helper("x = \"__name(f, 'f');\";"), helper("x = \"__name(f, 'f');\";")},
		{"__name(f, \"f\");\n", "__name(f, \"f\");\n"},
		// Broken scripts are no reason to break.
		{`"import(`, `"impor\x74(`},
		{"`import(${", "`impor\\x74(${"},
		{`/* import(`, `/* imported(`},
		{`)}]`, `)}]`},
	} {
		if got := rewrite(c.script); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.script, got, c.want)
		}
	}
}

func helper(script string) string { return nameHelper + " {};\n" + script }

// FuzzRewrite holds what is rewritten to what was: esbuild, which knows the
// language, must see the same script. Regular expressions are left out: their
// text is part of what they are.
func FuzzRewrite(f *testing.F) {
	for _, seed := range []string{
		`x = "import('y')" + '<!-- -->' / /a(b)/ ;`, "x = `a${y(`import(${z}`)}-->`;", `if (a) /eval/.test(b--) ;`, `a = b / c / "-->"; function f() { return /a/; }`,
		"class A { import(x) { return eval(`${x}-->`) } }", `for (const x of /a/g) ; a++ / 2; a = { f: () => 1 };`, `// import(
x`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, script string) {
		printed := transform(script, false)
		if strings.Contains(printed, "/") {
			return
		}
		rewritten := rewrite(printed)
		if before, after := transform(printed, true), transform(rewritten, true); before != after {
			t.Errorf("%s\nbecame\n%s\n%s\n%s", printed, rewritten, before, after)
		}
	})
}

// transform prints a script as esbuild does, or nothing if it is none.
func transform(script string, minify bool) string {
	result := api.Transform(script, api.TransformOptions{MinifyWhitespace: minify, MinifySyntax: minify, LegalComments: api.LegalCommentsNone})
	if len(result.Errors) > 0 {
		return ""
	}
	return string(result.Code)
}
