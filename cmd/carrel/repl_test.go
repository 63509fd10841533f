package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestRepl talks to JavaScript: lines with what is printed after each.
func TestRepl(t *testing.T) {
	javascriptHome(t)
	t.Chdir(t.TempDir())
	talk := func(flags string, lines ...string) string {
		t.Helper()
		stdout, stderr, code := carrel(bytes.NewBufferString(strings.Join(lines, "\n")), append([]string{"repl"}, strings.Fields(flags)...)...)
		if code != 0 || stderr != "" {
			t.Fatalf("exit code %d, %s", code, stderr)
		}
		var said []string
		for line := range strings.Lines(stdout) {
			if !strings.HasPrefix(line, "  // ") && !strings.HasPrefix(line, "    at ") { // what it cost, and stacks
				said = append(said, strings.TrimSpace(line))
			}
		}
		return strings.Join(said, "\n")
	}
	for _, c := range []struct{ name, lines, want string }{
		{"declarations last", "let n = 1, { a: [b] } = { a: [2] }\nclass P { m() { return n + b } }\nnew P().m()\nn = 5\nnew P().m()", "3\n5\n7"},
		{"values", "'a\"b'\n[1n, new Map()]\nundefined\nconsole.log('x', 1)", "\"a\\\"b\"\n[ 1n, Map (0) {} ]\nx 1"},
		{"promises", "const later = new Promise((r) => setImmediate(() => r(7)))\nawait later;\nawait Promise.reject(3)\nawait new Promise(() => {})", "7\nUncaught 3\nit waits for what never comes"},
		{"errors", "throw new Error('oops')\nnull.x\nlet = ;", "Uncaught Error: oops\nUncaught TypeError: cannot read property 'x' of null\nUncaught SyntaxError: variable name expected"},
		{"a fault leaves nothing", "let n = 1\nfor (n = 2;;);\nn", "error: out of fuel after 200 000 000 units; the worker is what it was before the line\n1"},
		{"snapshots", "let n = 1\n.snapshot one\nn = 2\n.restore one\nn", "kept as one: DIGEST\n2\n1"},
		{"copies", "let n = 1\n.fork other\nn = 2\n.switch main\nn\n.switch other\nn\n.list", "2\n1\n2\ncopy      other  (here)\ncopy      main  DIGEST"},
		{"bad commands", ".bogus\n.restore\n.restore none\n.fork main\n.switch none\n.list x\n.exit\n1", "error: there is no command .bogus; .help lists them\nerror: .restore needs a name: .restore NAME\n" +
			"error: there is no snapshot \"none\"; .list lists them\nerror: there is a copy \"main\"; .switch main goes on in it\nerror: there is no other copy \"none\"; .list lists them\nerror: .list takes no \"x\""},
	} {
		got := talk("--fuel 200M", strings.Split(c.lines, "\n")...)
		for _, word := range strings.Fields(got) {
			if strings.HasPrefix(word, "sha256:") {
				got = strings.ReplaceAll(got, word, "DIGEST")
			}
		}
		if got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}

	// An image goes from one conversation to another.
	talk("", "const next = (() => { let n = 10; return () => ++n })()", "next()", ".save a.image")
	if got := talk("--from a.image", "next()"); got != "12" {
		t.Errorf("from an image: %s", got)
	}
	if err := os.WriteFile("bad.image", []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"repl --from none":      "carrel: open none: no such file or directory\n",
		"repl --from bad.image": "carrel: bad.image: ",
		"repl --memory 3GiB":    "carrel: --memory: ",
		"repl x":                "carrel: ",
	} {
		if _, stderr, code := carrel(nil, strings.Fields(line)...); code != exitError || !strings.HasPrefix(stderr, want) {
			t.Errorf("%s: exit code %d, %q", line, code, stderr)
		}
	}
}
