package js_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"carrel/guest/js"
)

var update = flag.Bool("update", false, "write to testdata what code can reach and the roots of images, which tests are held to")

// syntax is what no name leads to.
const syntax = `{
	'%Generator%': Object.getPrototypeOf(function* () {}), '%Async%': Object.getPrototypeOf(async () => {}),
	'%AsyncGenerator%': Object.getPrototypeOf(async function* () {}), '%ArrayIterator%': Object.getPrototypeOf([][Symbol.iterator]()),
	'%RegExpStringIterator%': Object.getPrototypeOf('a'.matchAll(/a/g)), '%StringIterator%': Object.getPrototypeOf(''[Symbol.iterator]()),
	'%MapIterator%': Object.getPrototypeOf(new Map().keys()), '%SetIterator%': Object.getPrototypeOf(new Set().keys()),
	...(typeof Iterator === 'undefined' ? {} : { '%IteratorHelper%': Object.getPrototypeOf([].values().map((x) => x)), '%WrapForValidIterator%': Object.getPrototypeOf(Iterator.from({ next() {} })) }),
	'%ThrowTypeError%': Object.getOwnPropertyDescriptor((function () { 'use strict'; return arguments })(), 'callee').get,
	'%stringTooLong%': (() => { let s = 'a'; try { for (;;) s += s } catch (e) { return Object.getPrototypeOf(e) } })(),
}`

// TestPermits walks over every object that code can reach after lockdown, in the
// start compartment and in another one, and fails on anything that is not in the
// table. What a compartment reaches is frozen, all but its global.
func TestPermits(t *testing.T) {
	walk, err := os.ReadFile("testdata/walk.js")
	if err != nil {
		t.Fatal(err)
	}
	engine := engines(t)["wazero"]
	img := lockedDown(t, engine, "lockdown.bundle")
	for table, source := range map[string]string{
		"start":       string(walk) + "(" + strings.TrimSuffix(strings.TrimSpace(string(walk)), ";") + ")(globalThis, " + syntax + ")",
		"compartment": "const c = new Compartment(); c.globalThis.walk = harden(" + strings.TrimSuffix(strings.TrimSpace(string(walk)[strings.Index(string(walk), "(root"):]), ";") + "); c.evaluate('walk(globalThis, " + strings.NewReplacer("'", `\'`, "\n", " ").Replace(syntax) + ")')",
	} {
		w, err := engine.Restore(img, js.Config{})
		if err != nil {
			t.Fatal(err)
		}
		reply := evaluate(t, w, source)
		w.Close()
		if reply.Thrown != nil {
			t.Fatalf("%s: %s\n%s", table, reply.Thrown.Text, reply.Thrown.Stack)
		}
		file := recorded("permits-" + table + ".txt")
		if *update {
			if err := os.WriteFile(file, []byte(reply.Text+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		permitted := strings.Split(strings.TrimSpace(string(text)), "\n")
		for _, line := range strings.Split(reply.Text, "\n") {
			if !slices.Contains(permitted, line) {
				t.Errorf("%s: code can reach what is not permitted: %s", table, line)
			}
			if table == "compartment" && strings.HasSuffix(line, "is not frozen") {
				t.Errorf("compartments share what can be changed: %s", line)
			}
		}
	}
}
