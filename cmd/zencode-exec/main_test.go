package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"carrel/guest/zencode"
	"carrel/guest/zencode/lines"
	"carrel/machine/engines"
	"carrel/native"
	"carrel/npm/npmtest"
	"carrel/npm/zenroom"
	"carrel/turn"
)

const seed = "rngseed=hex:5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"

// TestPrograms runs zencode-exec and lua-exec as nXCC runs those of a release, and has
// package guest/zencode say what they are to print.
func TestPrograms(t *testing.T) {
	programs, tools := t.TempDir(), t.TempDir()
	t.Setenv("CARREL_HOME", t.TempDir())
	t.Setenv("ZENROOM_CACHE_DIR", tools)
	if said, err := exec.Command("go", "build", "-o", programs, ".", "../lua-exec").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if err := os.Mkdir(zenroom.Published.Dir(tools), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(npmtest.File(t, zenroom.FileName), filepath.Join(zenroom.Published.Dir(tools), zenroom.FileName)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", programs)
	on, err := engines.Open(engines.Auto)
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close()
	engine, err := zenroom.Open(context.Background(), zenroom.Host{Tools: tools, Code: t.TempDir(), Engine: on, Say: func(text string) { t.Error(text) }})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	for _, c := range []struct {
		program string
		in      lines.Input
	}{
		{"zencode-exec", lines.Input{Script: []byte("Given that I have a 'string dictionary' named 'nxcc'\nThen print the 'nxcc'\n"), Data: []byte(`{"nxcc":{"worker":"ü"}}`)}},
		{"zencode-exec", lines.Input{Script: []byte("Scenario 'ecdh': k\nGiven I am 'A'\nWhen I create the ecdh key\nThen print my 'keyring'\n")}},
		{"zencode-exec", lines.Input{Script: []byte("Given I have a 'string' named 'x'\nThen print data\n"), Keys: []byte(`{"y":1}`)}},
		{"zencode-exec", lines.Input{Script: []byte("nothing that is known\n")}},
		{"lua-exec", lines.Input{Script: []byte("print(KEYS, DATA, EXTRA, CONTEXT, #RNGSEED)"), Keys: []byte("1"), Data: []byte("2"), Extra: []byte("3"), Context: []byte("lua\n")}},
		{"lua-exec", lines.Input{Script: []byte("print('before') error('on purpose')")}},
		{"lua-exec", lines.Input{Script: []byte(")(")}},
	} {
		c.in.Conf = "debug=1," + seed
		stdin, err := c.in.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		have, err := native.Run(context.Background(), native.Command{Path: c.program, Stdin: stdin, StdoutMax: 1 << 20, StderrMax: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		want, err := engine.Run(context.Background(), &zencode.Input{
			Lua: c.program == "lua-exec", Script: c.in.Script, Conf: c.in.WithLog(), Keys: c.in.Keys, Data: c.in.Data, Extra: c.in.Extra, Context: c.in.Context,
			Limits: turn.Limits{Fuel: 1e12, MemoryPages: 16384},
		})
		if err != nil {
			t.Fatal(err)
		}
		if have.Code != int(want.Code) || string(have.Stdout) != string(want.Output) || string(have.Stderr) != string(want.Log) {
			t.Errorf("%s of %s:\nexit %d, %s%swant %d, %s%s", c.program, c.in.Script, have.Code, have.Stdout, have.Stderr, want.Code, want.Output, want.Log)
		}
	}
}
