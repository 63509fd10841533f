package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/npm/zenroom"
)

// zencodeHome is a home with the engine of Zencode, as make programs has fetched it.
func zencodeHome(t *testing.T) {
	t.Helper()
	engine, err := os.ReadFile("../../.cache/programs/" + zenroom.FileName)
	if err != nil {
		t.Fatalf("the engine is not there: run make programs (%v)", err)
	}
	home := t.TempDir()
	t.Setenv("CARREL_HOME", home)
	dir := zenroom.Published.Dir(filepath.Join(home, "tools"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, zenroom.FileName), engine, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestZencode runs scripts as carrel run does, and verifies them.
func TestZencode(t *testing.T) {
	zencodeHome(t)
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{
		"hello.zen": "Given I have a 'string' named 'greeting'\nThen print the 'greeting'\n",
		"seed.lua":  "print(OCTET.random(8):hex())",
		"all.lua":   "print(DATA, KEYS, EXTRA, CONTEXT)",
		"loop.lua":  "while true do end",
		"d.json":    `{"greeting":"hi"}`, "k.json": `{"k":1}`, "e.json": `{"e":2}`, "c.json": `{"c":3}`, "s": "\x01\x02\x03", "long": "correct horse battery staple",
		"secret.json": `{"key":{"$secret":"S","encoding":"hex"}}`, "derived.json": `{"key":{"$secret":"S","encoding":"hex","kdf":{"len":4}}}`, "keys.lua": "print(KEYS)",
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		line, stdin  string
		code         int
		stdout, says string
	}{
		{"run hello.zen --data d.json", "", 0, "{\"greeting\":\"hi\"}\n", "Zenroom execution completed."},
		{"run --data - hello.zen", `{"greeting":"there"}`, 0, "{\"greeting\":\"there\"}\n", "Zenroom execution completed."},
		{"run hello.zen", "", 1, "", "Cannot find 'greeting' anywhere"},
		{"run --conf rngseed=hex:" + strings.Repeat("5a", 64) + " seed.lua", "", 0, "6e1f9cb24924e5ff\n", ""},
		{"run seed.lua --seed 0102", "", 0, "", ""},
		{"run --keys k.json all.lua --data d.json --extra e.json --context c.json", "", 0, "{\"greeting\":\"hi\"}\t{\"k\":1}\t{\"e\":2}\t{\"c\":3}\n", ""},
		{"run --keys secret.json --secret S=s keys.lua", "", 0, "{\"key\":\"010203\"}\n", ""},
		{"run --keys secret.json --secret T=s keys.lua", "", exitError, "", "put secrets into keys: Missing secret 'S'"},
		{"run --secret S=s keys.lua", "", exitError, "", "--secret needs --keys"},
		{"run --keys secret.json --secret S keys.lua", "", exitError, "", `"S" is not of the form NAME=FILE`},
		{"run --fuel 300M loop.lua", "", exitFuel, "", "out of fuel after 300 000 000 units"},
		{"run --memory 1M hello.zen", "", exitRefused, "", "needs 8192 KiB of memory to start, the limit is 1024 KiB; --memory gives more"},
		{"run none.zen", "", exitNotFound, "", "none.zen: there is no such script"},
		{"run hello.zen --data none.json", "", exitError, "", "--data: open none.json: no such file or directory"},
		{"run hello.zen x", "", exitError, "", `"x": a script has no arguments`},
		{"run hello.zen --dir .", "", exitError, "", "--dir is not for Zencode"},
		{"run --data - --keys - hello.zen", "", exitError, "", "--keys: standard input is another one's already"},
		{"run --data d.json x.wasm", "", exitError, "", "--data is for Zencode and Lua"},
		{"run --conf a=1 x.mjs", "", exitError, "", "--conf and --secret are for Zencode and Lua"},
	} {
		stdout, stderr, code := carrel(bytes.NewBufferString(c.stdin), strings.Fields(c.line)...)
		if code != c.code || c.stdout != "" && stdout != c.stdout || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: %d\n%s%s\nwant %d\n%s%s", c.line, code, stdout, stderr, c.code, c.stdout, c.says)
		}
	}
	once, _, _ := carrel(nil, "run", "seed.lua")
	again, _, _ := carrel(nil, "run", "seed.lua")
	if once == again || len(once) != 17 {
		t.Errorf("chance gave %q, and again %q", once, again)
	}

	_, _, _ = carrel(nil, strings.Fields("run --keys secret.json --secret S=long --secret T=d.json --receipt r.json keys.lua")...)
	for _, c := range []struct {
		line string
		code int
		says string
	}{
		{"verify --secret S=long r.json", 0, "same: "},
		{"verify r.json", 2, `secret "S", which it was handed`},
		{"verify --secret S=d.json r.json", 2, `secret "S", which it was handed: what was given is another`},
		{"receipt show r.json", 0, `"S", committed to by sha256:`},
		{"receipt export -o r.bundle r.json", 0, ""},
	} {
		stdout, stderr, code := carrel(nil, strings.Fields(c.line)...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%s: %d\n%s%s", c.line, code, stdout, stderr)
		}
	}
	for _, name := range []string{"r.json", "r.bundle"} {
		content, err := os.ReadFile(name)
		for _, encode := range []func([]byte) string{func(b []byte) string { return string(b) }, hex.EncodeToString, base64.StdEncoding.EncodeToString} {
			if err != nil || bytes.Contains(content, []byte(encode([]byte("correct hors")))) {
				t.Errorf("%s has the secret, as %q (%v)", name, encode([]byte("correct hors")), err)
			}
		}
	}

	for _, line := range []string{"hello.zen --data d.json", "hello.zen", "seed.lua", "loop.lua --fuel 300M", "hello.zen --memory 1M"} {
		_, _, _ = carrel(nil, append([]string{"run", "--receipt", "r.json"}, strings.Fields(line)...)...)
		for _, engine := range []string{"wazero", "auto"} {
			if stdout, stderr, code := carrel(nil, "verify", "--engine", engine, "r.json"); code != 0 || !strings.HasPrefix(stdout, "same: ") {
				t.Errorf("%s, verified on %s: %d\n%s%s", line, engine, code, stdout, stderr)
			}
		}
	}
}
