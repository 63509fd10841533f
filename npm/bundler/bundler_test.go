package bundler_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"carrel/guest/js/bundle"
	"carrel/npm/bundler"
)

// layOut writes the files of an archive into a new directory.
func layOut(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(text)).Files {
		name := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// node gives what a program prints, with the exports of a bundle in exports.
func node(t *testing.T, b *bundle.Bundle, program string) string {
	t.Helper()
	script, err := b.Script()
	if err != nil {
		t.Fatal(err)
	}
	literal := fmt.Sprintf("const exports = (0, eval)(%s);\n", quote(script))
	cmd := exec.Command("node", "--input-type=module", "-")
	cmd.Stdin = strings.NewReader(literal + program)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, out)
	}
	return string(out)
}

func quote(s string) string {
	var b strings.Builder
	for _, r := range s {
		fmt.Fprintf(&b, `\u{%x}`, r)
	}
	return `"` + b.String() + `"`
}

// show prints the exports of the shop, before and after it is called.
const show = `
console.log(Object.keys(exports).sort().join());
console.log(exports.state, exports.steps, exports.greet, exports.goodbye, exports.all.default, exports.shapes.Square.name, new exports.shapes.Square(3).side);
console.log(exports.default());
console.log(exports.state, exports.steps);
`

const shown = `all,default,goodbye,greet,hello,shapes,state,steps
begun 0 hello goodbye not by star Square 3
2 steps 2 6 42 common 3 true
done 2
`

// TestShop bundles and links the same modules in each format, and runs them.
func TestShop(t *testing.T) {
	entry := filepath.Join(layOut(t, read(t, "testdata/shop.txtar")), "src/main.js")
	archive, err := bundle.Read([]byte(read(t, "testdata/shop.endozip.json")))
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []bundle.Format{bundle.GetExport, bundle.NestedEvaluate} {
		made, err := bundler.Bundle(entry, bundler.Options{Format: format})
		if err != nil {
			t.Fatal(err)
		}
		linked, err := bundler.Link(archive, format)
		if err != nil {
			t.Fatal(err)
		}
		for how, b := range map[string]*bundle.Bundle{"bundled": made, "linked": linked} {
			if b.Format != format {
				t.Errorf("%s: format %s", how, b.Format)
			}
			if got := node(t, b, show); got != shown {
				t.Errorf("%s as %s:\n%s\nwant\n%s", how, format, got, shown)
			}
			text, err := b.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if how == "bundled" && (bytes.Contains(text, []byte("4.5.6")) || bytes.Contains(text, []byte(filepath.Dir(entry)))) {
				t.Errorf("%s as %s holds a version or a path:\n%s", how, format, text)
			}
		}
	}
}

// TestSame bundles the same files in two places.
func TestSame(t *testing.T) {
	var texts [2][]byte
	for n := range texts {
		made, err := bundler.Bundle(filepath.Join(layOut(t, read(t, "testdata/shop.txtar")), "src/main.js"), bundler.Options{Format: bundle.NestedEvaluate})
		if err != nil {
			t.Fatal(err)
		}
		if texts[n], err = made.Encode(); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(texts[0], texts[1]) {
		t.Errorf("%s\nand\n%s", texts[0], texts[1])
	}
}

func TestOptions(t *testing.T) {
	dir := layOut(t, `
-- main.ts --
import { which } from 'two';
import json from './data.json';
import text from './page.txt';
const made: string = which;
export default [made, json.n, text.trim(), process.env.NODE_ENV].join();
export const load = () => require('of-host');
-- data.json --
{"n": 1}
-- page.txt --
<!-- import(x) -->
-- node_modules/two/package.json --
{"exports": {".": {"special": "./special.js", "import": "./import.mjs", "default": "./default.js"}}}
-- node_modules/two/special.js --
exports.which = 'special';
-- node_modules/two/import.mjs --
export const which = 'import';
-- node_modules/two/default.js --
exports.which = 'default';
`)
	for _, c := range []struct {
		options bundler.Options
		want    string
	}{
		{bundler.Options{}, "import,1,<!-- import(x) -->,production"},
		{bundler.Options{Conditions: []string{"special"}}, "special,1,<!-- import(x) -->,production"},
	} {
		c.options.External = []string{"of-host"}
		made, err := bundler.Bundle(filepath.Join(dir, "main.ts"), c.options)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(made.Source, "import(") || strings.Contains(made.Source, "-->") {
			t.Errorf("SES would refuse\n%s", made.Source)
		}
		if got := node(t, made, "console.log(exports.default)"); got != c.want+"\n" {
			t.Errorf("%+v: %s, want %s", c.options, got, c.want)
		}
	}
	module, err := bundler.Module(filepath.Join(dir, "main.ts"), bundler.Options{External: []string{"of-host"}})
	if err != nil || !strings.Contains(module, "export {") {
		t.Errorf("module %s, %v", module, err)
	}
}

func TestErrors(t *testing.T) {
	dir := layOut(t, `
-- missing.js --
// A comment.
import 'nosuch';
  import x from './gone.js';
-- syntax.js --
const a = ;
-- top.js --
export const a = await 1;
-- name.js --
import { b } from './top2.js';
console.log(b);
-- top2.js --
export const a = 1;
-- node.js --
import fs from 'fs';
console.log(fs);
-- eval.js --
export const one = eval('1');
-- bad.json --
{"a": }
-- style.js --
import './a.css';
-- a.css --
a {}
`)
	t.Chdir(dir)
	for _, c := range []struct {
		entry string
		want  []string
	}{
		{"missing.js", []string{`missing.js:2:8: Could not resolve "nosuch". Install it, or leave it to the host`, `missing.js:3:17: Could not resolve "./gone.js"`}},
		{"syntax.js", []string{`syntax.js:1:11: Unexpected ";"`}},
		{"top.js", []string{`top.js:1:18: Top-level await is currently not supported with the "iife" output format`}},
		{"name.js", []string{`name.js:1:10: No matching export in "top2.js" for import "b"`}},
		{"node.js", []string{`node.js:1:16: Could not resolve "fs"`, "It is part of node"}},
		{"bad.json", []string{`bad.json:1:7: Unexpected "}"`}},
		{"style.js", []string{`it became 2 files, not one`}},
	} {
		_, err := bundler.Bundle(c.entry, bundler.Options{})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", c.entry, err, want)
			}
		}
	}
	if _, err := bundler.Bundle("nosuch.js", bundler.Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("nothing: %v", err)
	}
	if _, err := bundler.Bundle(".", bundler.Options{}); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := bundler.Bundle("eval.js", bundler.Options{Format: "zip"}); err == nil {
		t.Error("a format that there is not was made")
	}
	var warnings []string
	if _, err := bundler.Bundle("eval.js", bundler.Options{Warn: func(m bundler.Message) { warnings = append(warnings, m.String()) }}); err != nil || len(warnings) != 2 || !strings.HasPrefix(warnings[0], "eval.js:1:20: ") || warnings[1] != `a compartment would refuse this bundle: it holds "eval("` {
		t.Errorf("warnings %q, %v", warnings, err)
	}
}
