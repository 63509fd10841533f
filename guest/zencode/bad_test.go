package zencode_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"carrel/guest/zencode"
	"carrel/turn"
)

// TestFaults has scripts that do not end by themselves.
func TestFaults(t *testing.T) {
	for _, test := range []struct {
		name, script string
		limits       turn.Limits
		want         turn.Class
	}{
		{"a loop", "while true do end", turn.Limits{Fuel: 500_000_000, MemoryPages: 2048}, turn.Fuel},
		{"a loop in a pcall", "while true do pcall(function() while true do end end) end", turn.Limits{Fuel: 500_000_000, MemoryPages: 2048}, turn.Fuel},
		{"a pattern that backtracks", "string.find(string.rep('a', 40), string.rep('.-', 20) .. 'b')", turn.Limits{Fuel: 500_000_000, MemoryPages: 2048}, turn.Fuel},
		{"output without end", "while true do print(string.rep('x', 100000)) end", turn.Limits{Fuel: 100_000_000_000, MemoryPages: 2048}, turn.Memory},
		{"it can be had in the end", "print('x')", turn.Limits{Fuel: 1_000_000_000, MemoryPages: 2048}, turn.Exit},
	} {
		t.Run(test.name, func(t *testing.T) {
			for name, engine := range engines(t) {
				got, err := engine.Run(context.Background(), &zencode.Input{Lua: true, Script: []byte(test.script), Limits: test.limits})
				if err != nil || got.Class != test.want {
					t.Errorf("%s: %+v, %v", name, got.Outcome, err)
				}
			}
		})
	}
}

// TestMemory has a script that takes all memory that there is: the limit decides, and
// Lua tells of it as of any error.
func TestMemory(t *testing.T) {
	for name, engine := range engines(t) {
		got, err := engine.Run(context.Background(), &zencode.Input{
			Lua: true, Script: []byte("local t = {}\nwhile true do t[#t + 1] = string.rep('x', 100000 + #t) end"),
			Limits: turn.Limits{Fuel: 100_000_000_000, MemoryPages: 1024},
		})
		if err != nil || got.Class != turn.Exit || got.Code != 1 || !strings.Contains(string(got.Log), "not enough memory") {
			t.Errorf("%s: %v, %d, %s, %v", name, got.Class, got.Code, got.Log, err)
		}
	}
}

// TestInputs has inputs of odd kinds: none of them is more than a script that fails.
func TestInputs(t *testing.T) {
	engine := engines(t)["wazero"]
	const hello = "Given nothing\nThen print the string 'hello'\n"
	for name, input := range map[string]script{
		"no script":        {Script: ""},
		"bytes":            {Script: "\xff\xfe\x80"},
		"a zero byte":      {Script: "Given nothing\x00Then print data"},
		"conf":             {Script: hello, Conf: "nonsense=1"},
		"conf with a line": {Script: hello, Conf: "debug=0\nverbose=3"},
		"a short seed":     {Script: hello, Conf: "rngseed=hex:00"},
		"deep JSON":        {Script: hello, Data: strings.Repeat("[", 100_000)},
		"1 MB":             {Script: hello + strings.Repeat("# a comment of some length, again and again\n", 25_000)},
	} {
		got, err := engine.Run(context.Background(), input.input())
		if err != nil || got.Class == turn.Worker {
			t.Errorf("%s: %+v, %v", name, got, err)
			continue
		}
		t.Logf("%s: %v %d, %s", name, got.Class, got.Code, got.Output)
	}
	if _, err := engine.Run(context.Background(), &zencode.Input{Script: []byte(hello), Data: make([]byte, zencode.TextBytesMax+1), Limits: limits}); !errors.Is(err, zencode.ErrTooLarge) {
		t.Errorf("data that is too large: %v", err)
	}
}

// TestSeeds has a seed decide what chance gives, and nothing else.
func TestSeeds(t *testing.T) {
	script := &zencode.Input{Lua: true, Script: []byte("print(OCTET.random(16):hex(), os.time(), os.date('!%F %T', 951782400), os.time({ year = 2024, month = 14, day = -3, hour = 12 }))"), Limits: limits, Now: 1_700_000_000_000_000_000}
	seen := map[string]bool{}
	for seed := range byte(3) {
		script.Seed = []byte{seed}
		first := ""
		for name, engine := range engines(t) {
			got, err := engine.Run(context.Background(), script)
			if err != nil || got.Class != turn.Exit || got.Code != 0 {
				t.Fatalf("%s: %+v, %v\n%s", name, got, err, got.Log)
			}
			if out := string(got.Output); first == "" {
				first = out
			} else if out != first {
				t.Errorf("%s: %s, another engine %s", name, out, first)
			}
		}
		if seen[first] || !strings.HasSuffix(first, "\t1700000000\t2000-02-29 00:00:00\t1738065600\n") {
			t.Errorf("seed %d gave %s", seed, first)
		}
		seen[first] = true
	}
}

// TestGlue has JavaScript that is not the engine's.
func TestGlue(t *testing.T) {
	for source, want := range map[string]string{
		"":                         "no wasm is in it",
		`base64Decode("AGFzbQ`:     "no end",
		`base64Decode("AGFzbQ!")`:  "illegal base64",
		`base64Decode("AGFzbQ==")`: "does not say what its calls",
		`base64Decode("AGFzbQ==")ASM_CONSTS={1:()=>{fetch("x")}}`:       "unknown call of JavaScript",
		`base64Decode("AGFzbQ==")ASM_CONSTS={1:()=>{{}`:                 "without an end",
		`base64Decode("AGFzbQ==")ASM_CONSTS={1:async()=>{}}`:            "unknown form",
		`base64Decode("AGFzbQ==")ASM_CONSTS={99999999999:()=>{}}`:       "unknown form",
		`base64Decode("AGFzbQ==")ASM_CONSTS={9999999999:()=>{}}`:        "out of range",
		`base64Decode("AGFzbQ==")ASM_CONSTS={1:()=>{Module.exec_ok()}`:  "unknown form",
		`base64Decode("AGFzbQ==")ASM_CONSTS={1:()=>{Module.exec_ok()}}`: "",
	} {
		_, err := zencode.Wasm([]byte(source))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", source, err, want)
		}
	}
}
