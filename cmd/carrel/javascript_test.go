package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carrel/npm/quickjs"
)

// javascriptHome is a home with the engine of JavaScript and the lockdown bundle,
// as make programs has fetched them.
func javascriptHome(t *testing.T) {
	t.Helper()
	programs, err := filepath.Abs("../../.cache/programs")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := os.ReadFile(filepath.Join(programs, "quickjs.wasm"))
	if err != nil {
		t.Fatalf("the engine is not there: run make programs (%v)", err)
	}
	home := t.TempDir()
	t.Setenv("CARREL_HOME", home)
	dir := quickjs.Dir(filepath.Join(home, "tools"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, quickjs.FileName), engine, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := carrel(nil, "guest", "fetch", "lockdown", "--from", filepath.Join(programs, "npm")); code != 0 {
		t.Fatal(stderr)
	}
}

// TestJavaScript runs programs of JavaScript as carrel run does, and verifies
// them.
func TestJavaScript(t *testing.T) {
	javascriptHome(t)
	modules, err := filepath.Abs("../../testdata/npm")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, c := range []struct {
		name, file, source string
		flags, args, stdin string
		code               int
		stdout, stderr     string
	}{
		{"a default function", "a.mjs", "export default async ({ args, env, stdin, print, write }) => { print(args.length, ...args, env.X); write('x'); write(new Uint8Array([10])); await null; return { n: [...stdin.lines()], big: 2n }; }",
			"--env X=y=z", "one two", "alpha\nbeta", 0, "2 one two y=z\nx\n{\"n\":[\"alpha\",\"beta\"],\"big\":\"2\"}\n", ""},
		{"arguments that SES refuses as code", "a.mjs", "export default ({ args, env, print }) => print(...args, env.X);", "--env X=import/*", "import(x) <!-- --> eval(x) \"\\", "", 0, "import(x) <!-- --> eval(x) \"\\ import/*\n", ""},
		{"top-level code", "a.mjs", "print(await new Promise((r) => setImmediate(r, 42)));\nconsole.log('to the side', [1n, { a: new Map() }]);", "", "", "", 0, "42\n", "to the side [ 1n, { a: Map (0) {} } ]\n"},
		{"CommonJS", "a.cjs", "module.exports = require('./b.cjs').n + 1;", "", "", "", 0, "2\n", ""},
		{"TypeScript", "a.ts", "const f = <T,>(x: T): T => x;\nexport default (): string => f<string>('typed');", "", "", "", 0, "typed\n", ""},
		{"nothing", "a.js", "", "", "", "", 0, "", ""},
		{"bytes", "a.mjs", "export default ({ stdin }) => stdin.bytes().reverse();", "", "", "abc", 0, "cba", ""},
		{"time and chance", "a.mjs", "export default () => [new Date().toISOString(), typeof Math.random()].join();", "--time 2026-01-01T00:00:00Z", "", "", 0, "2026-01-01T00:00:00.000Z,number\n", ""},
		{"an exception", "a.mjs", "const f = () => { throw new TypeError('oh no'); };\nexport default () => f();", "", "", "", 1, "", "TypeError#1: oh no"},
		{"no Error thrown", "a.mjs", "throw { code: 3 };", "", "", "", 1, "", "Uncaught { code: 3 }\n"},
		{"a method that SES refuses", "a.mjs", "export default ({ import(n) { return n; } }).import(1);", "", "", "", 1, "", "Uncaught SyntaxError: Possible import expression rejected"},
		{"a promise that nobody handles", "a.mjs", "Promise.reject(new Error('lost'));", "", "", "", 0, "", "UnhandledPromiseRejectionWarning:"},
		{"a promise that nothing settles", "a.mjs", "await new Promise(() => {});", "", "", "", 13, "", "the program waits for what never comes"},
		{"a loop", "a.mjs", "for (;;);", "--fuel 100M", "", "", exitFuel, "", "out of fuel after 100 000 000 units"},
		{"a loop that catches", "a.mjs", "export default () => { for (;;) try { for (;;); } catch {} };", "--fuel 100M", "", "", exitFuel, "", "out of fuel"},
		{"a loop of promises", "a.mjs", "const f = () => Promise.resolve().then(f); await f();", "--fuel 100M", "", "", exitFuel, "", "out of fuel"},
		{"memory", "a.mjs", "const all = []; for (;;) all.push(new ArrayBuffer(1 << 20));", "--memory 64MiB", "", "", exitTrap, "", "carrel: a.mjs: out of memory; --memory gives more, up to 2GiB\n"},
		{"an exception that nothing can catch", "a.mjs", "setImmediate(() => { throw 3; });", "", "", "", exitTrap, "", "carrel: a.mjs: unreachable: an exception that nothing could catch: 3\n"},
		{"depth", "a.mjs", "const f = () => 1 + f(); f();", "", "", "", exitDepth, "", "too deep"},
		{"no authority", "a.mjs", "export default () => ['process', 'require', 'fetch', 'XMLHttpRequest', 'Deno', 'std', 'os', 'WebAssembly'].filter((n) => n in globalThis).join();", "", "", "", 0, "\n", ""},
		{"frozen", "a.mjs", "Array.prototype.push = () => 0;", "", "", "", 1, "", "TypeError#1"},
		{"a syntax error", "a.mjs", "const a = ;", "", "", "", exitRefused, "", "carrel: a.mjs:1:11: Unexpected \";\"\n"},
		{"a module that is not there", "a.mjs", "import 'left-pad';", "", "", "", exitRefused, "", `carrel: a.mjs:1:8: Could not resolve "left-pad"`},
		{"node's own", "a.mjs", "import fs from 'fs'; print(fs);", "", "", "", exitRefused, "", "It is part of node, which is not here"},
		{"a flag for files", "a.mjs", "", "--dir .", "", "", exitError, "", "carrel: --dir is not for JavaScript: it sees no files"},
		{"a flag for images", "a.mjs", "", "--image-out x", "", "", exitError, "", "carrel: --image-out is not for JavaScript"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, source := range map[string]string{c.file: c.source, "b.cjs": "exports.n = 1;"} {
				if err := os.WriteFile(name, []byte(source), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			line := append([]string{"run", "--receipt", "r.json"}, strings.Fields(c.flags)...)
			line = append(append(line, c.file), strings.Fields(c.args)...)
			_ = os.Remove("r.json")
			stdout, stderr, code := carrel(bytes.NewBufferString(c.stdin), line...)
			if code != c.code || stdout != c.stdout || !strings.Contains(stderr, c.stderr) {
				t.Fatalf("exit code %d, %q, %q; want %d, %q, %q", code, stdout, stderr, c.code, c.stdout, c.stderr)
			}
			if _, err := os.Stat("r.json"); err != nil {
				if c.code != exitRefused && c.code != exitError {
					t.Error("there is no receipt")
				}
				return
			}
			if stdout, stderr, code := carrel(nil, "verify", "r.json"); code != 0 {
				t.Errorf("verified: exit code %d, %s%s", code, stdout, stderr)
			}
		})
	}
	if _, stderr, code := carrel(nil, "run", "none.mjs"); code != exitNotFound || stderr != "carrel: none.mjs: there is no such program\n" {
		t.Errorf("a program that is not there: exit code %d, %q", code, stderr)
	}

	t.Run("npm", func(t *testing.T) { // real modules do what they do in node
		node := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", "import main from './modules.mjs'; console.log(main())")
		node.Dir, node.Env = modules, append(os.Environ(), "TZ=UTC")
		want, err := node.Output()
		if err != nil {
			t.Fatalf("node: %v; its modules are there after make programs", err)
		}
		stdout, stderr, code := carrel(nil, "run", "--receipt", "npm.json", filepath.Join(modules, "modules.mjs"))
		if code != 0 || stdout != string(want) {
			t.Fatalf("exit code %d, %s; node printed %s%s", code, stdout, want, stderr)
		}
		if _, stderr, code := carrel(nil, "receipt", "export", "-o", "npm.bundle", "npm.json"); code != 0 {
			t.Fatal(stderr)
		}
		t.Setenv("CARREL_HOME", t.TempDir()) // nothing but the bundle
		if stdout, stderr, code := carrel(nil, "verify", "npm.bundle"); code != verifyUntrusted {
			t.Errorf("verified elsewhere: exit code %d, %s%s", code, stdout, stderr)
		}
	})
}
