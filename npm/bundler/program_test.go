package bundler

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestProgram(t *testing.T) {
	for _, c := range []struct{ name, file, source, ends string }{
		{"a default function", "main.mjs", "export default function main({ args }) { return args; }", "return { default: main, };\n}"},
		{"a default value", "main.mjs", "export default 6 * 7;", "return { default: main_default, };\n}"},
		{"top-level code", "main.mjs", "const x = await Promise.resolve(1);\nprint(x);", "print(x);\nreturn {};\n}"},
		{"CommonJS", "main.cjs", "module.exports = 1;", "return { default: require_main(), };\n}"},
		{"several", "main.mjs", "export const a = 1, b = 2;\nexport { a as c, b as 'd e' };", `return { a: a, b: b, c: a, "d e": b, };` + "\n}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			entry := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(entry, []byte(c.source), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := Program(entry, Options{})
			if err != nil || !strings.HasPrefix(got, "async (print) => {\n'use strict';\n") || !strings.HasSuffix(got, c.ends) {
				t.Errorf("got %s, %v; want the end %s", got, err, c.ends)
			}
		})
	}
}
