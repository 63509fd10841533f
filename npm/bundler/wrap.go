package bundler

import (
	"encoding/json"
	"strings"

	"carrel/guest/js/bundle"
)

// What is around a script that sets exports. A host that has modules of its own
// gives require.
const (
	beforeScript = "'use strict';\n"
	afterScript  = "return " + exportsName + ";\n"

	beforeExport = "() => {\n"
	afterExport  = "}"

	beforeNested  = "(sourceUrlPrefix) => {\n  " + beforeScript + findEvaluate + "  const run = evaluate("
	betweenNested = ` + '\n//# sourceURL=' + prefix + `
	afterNested   = ` + '\n');
  return run(typeof require === 'function' ? require : undefined);
}`
)

// findEvaluate finds what a nestedEvaluate bundle compiles with, and the prefix
// for names.
const findEvaluate = `  const evaluate = typeof nestedEvaluate === 'function' ? nestedEvaluate : globalThis.eval;
  const prefix = sourceUrlPrefix === undefined ? '/bundled-source/.../' : sourceUrlPrefix;
`

// Wrap makes a bundle of a script that sets a variable exports. The name is for
// stack traces.
func Wrap(format bundle.Format, name, script string) (*bundle.Bundle, error) {
	body := beforeScript + script + afterScript
	if format == bundle.GetExport {
		return &bundle.Bundle{Format: format, Source: beforeExport + body + afterExport}, nil
	}
	text, err := literal("(require) => {\n" + body + "}")
	if err != nil {
		return nil, err
	}
	called, err := literal(strings.Map(printable, name))
	if err != nil {
		return nil, err
	}
	return &bundle.Bundle{Format: format, Source: beforeNested + text + betweenNested + called + afterNested}, nil
}

// printable keeps what a comment on one line can hold.
func printable(r rune) rune {
	if r <= ' ' || r > '~' {
		return '_'
	}
	return r
}

// literal is a string in JavaScript.
func literal(s string) (string, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(s)
	return strings.TrimSuffix(b.String(), "\n"), err
}
