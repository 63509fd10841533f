package zencode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carrel/guest/zencode"
	"carrel/turn"
)

// prepared runs an input that is prepared for without its texts, and with another
// clock; nil if it cannot be.
func prepared(t testing.TB, engine *zencode.Engine, input *zencode.Input) *zencode.Result {
	t.Helper()
	shape := *input
	shape.Now = 12345
	for _, text := range []*[]byte{&shape.Data, &shape.Keys, &shape.Extra, &shape.Context} {
		if len(*text) > 0 {
			*text = []byte("x")
		}
	}
	shape.Script = nil
	p, err := engine.Prepare(&shape)
	if errors.Is(err, zencode.ErrShape) {
		return nil
	} else if err != nil {
		t.Fatal(err)
	}
	got, err := p.Run(context.Background(), input)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestPrepared has a run that was prepared be the run that was not, to the unit of
// fuel, for scripts of all kinds, under many configurations.
func TestPrepared(t *testing.T) {
	var inputs []*zencode.Input
	for n := range scripts {
		input := scripts[n].input()
		input.Conf, input.Seed, input.Now = "debug=0", []byte{byte(n)}, 1_700_000_000_000_000_000
		inputs = append(inputs, input)
	}
	unprepared := []string{"verbose=1,scope=given", "logfmt=text", "nonsense=1", "debug =1", "scope=full,Scope=given"}
	for _, conf := range append(unprepared, "", "debug=3", "maxiter=dec:10", "memblocknum=64,memblocksize=256", seeded, "scope=full,debug=2,"+seeded, "rngseed=hex:00", " logfmt=json , verbose=2,") {
		for _, n := range []int{0, 1, 4, 5, 7} {
			input := scripts[n].input()
			input.Conf, input.Extra, input.Context = conf, []byte(`{"extra": 1}`), []byte(`{"context": 2}`)
			lua := *input
			lua.Lua, lua.Script = true, []byte("print(DATA, KEYS, EXTRA, CONTEXT, os.time(), os.clock(), OCTET.random(8):hex(), tostring({}))")
			inputs = append(inputs, input, &lua)
		}
	}
	for name, engine := range engines(t) {
		for n, input := range inputs {
			want, err := engine.Run(context.Background(), input)
			if err != nil {
				t.Fatal(err)
			}
			got := prepared(t, engine, input)
			if (got == nil) != slices.Contains(unprepared, input.Conf) {
				t.Errorf("%s, conf %q: whether it can be prepared is %v", name, input.Conf, got != nil)
			}
			if got != nil && !reflect.DeepEqual(got, want) {
				t.Errorf("%s, input %d (%s): prepared\n%+v %s\n%s\nnot\n%+v %s\n%s", name, n, input.Conf, got.Outcome, got.Output, got.Log, want.Outcome, want.Output, want.Log)
			}
		}
	}
}

// TestFits has a prepared run refuse what its result would not be that of.
func TestFits(t *testing.T) {
	engine := engines(t)["wazero"]
	shape := zencode.Input{Script: []byte("x"), Keys: []byte("{}"), Conf: "debug=0", Seed: []byte{1}, Limits: limits}
	for name, change := range map[string]func(*zencode.Input){
		"":                 func(*zencode.Input) {},
		"Lua":              func(i *zencode.Input) { i.Lua = true },
		"another conf":     func(i *zencode.Input) { i.Conf = "debug=1" },
		"another seed":     func(i *zencode.Input) { i.Seed = []byte{2} },
		"other limits":     func(i *zencode.Input) { i.Limits.Fuel-- },
		"no keys":          func(i *zencode.Input) { i.Keys = nil },
		"data":             func(i *zencode.Input) { i.Data = []byte("{}") },
		"no script":        func(i *zencode.Input) { i.Script = nil },
		"a script of zero": func(i *zencode.Input) { i.Script = []byte{0, 'x'} },
		"a large script":   func(i *zencode.Input) { i.Script = bytes.Repeat([]byte("#\n"), 32<<10) },
	} {
		t.Run(name, func(t *testing.T) {
			p, err := engine.Prepare(&shape)
			if err != nil {
				t.Fatal(err)
			}
			input := shape
			change(&input)
			_, err = p.Run(context.Background(), &input)
			if name == "" && err != nil || name != "" && !errors.Is(err, zencode.ErrShape) {
				t.Error(err)
			}
		})
	}
}

// TestPreparedIsLeft has a run ended that waits, or has not come so far.
func TestPreparedIsLeft(t *testing.T) {
	for name, engine := range engines(t) {
		for _, wait := range []bool{false, true} {
			p, err := engine.Prepare(&zencode.Input{Limits: limits})
			if err != nil {
				t.Fatal(err)
			}
			if wait {
				<-p.Ready()
			}
			if err := p.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestCaps has a run stopped that prints or logs more than its host takes, with
// exactly that much.
func TestCaps(t *testing.T) {
	const large = 1 << 20
	for _, test := range []struct {
		script    string
		caps      zencode.Caps
		class     turn.Class
		out, log  bool
		outputLen int
	}{
		{"print(string.rep('x', 99))", zencode.Caps{Output: 100, Log: large}, turn.Exit, false, false, 100},
		{"print(string.rep('x', 100))", zencode.Caps{Output: 100, Log: large}, turn.Stopped, true, false, 100},
		{"while true do print('abc') end", zencode.Caps{Output: 1001, Log: large}, turn.Stopped, true, false, 1001},
		{"while true do warn('abcdefgh') end", zencode.Caps{Output: large, Log: 1001}, turn.Stopped, false, true, 0},
		{"print('x')", zencode.Caps{Output: large, Log: 1}, turn.Stopped, false, true, 0},
		{"print('x')", zencode.Caps{Output: 0, Log: large}, turn.Stopped, true, false, 0},
		{"while true do print(string.rep('x', 1000000)) end", zencode.Caps{Output: zencode.ResultBytesMax, Log: large}, turn.Memory, true, false, zencode.ResultBytesMax},
		{"while true do print(string.rep('x', 1000000)) end", zencode.Caps{Output: zencode.ResultBytesMax + 1, Log: large}, turn.Memory, true, false, zencode.ResultBytesMax},
	} {
		for name, engine := range engines(t) {
			input := &zencode.Input{Lua: true, Script: []byte(test.script), Limits: limits, Caps: &test.caps}
			for how, run := range map[string]func() *zencode.Result{
				"at once":  func() *zencode.Result { got, _ := engine.Run(context.Background(), input); return got },
				"prepared": func() *zencode.Result { return prepared(t, engine, input) },
			} {
				got := run()
				if got.Class != test.class || got.Over.Output != test.out || got.Over.Log != test.log || len(got.Output) != test.outputLen || test.log && len(got.Log) != test.caps.Log {
					t.Errorf("%s, %s, %s: %v %+v, %d bytes, %d logged", name, how, test.script, got.Outcome, got.Over, len(got.Output), len(got.Log))
				}
			}
		}
	}
}

// BenchmarkPrepared is what is left of a script when its run was prepared.
func BenchmarkPrepared(b *testing.B) {
	for name, s := range map[string]script{"hello": scripts[0], "keyring": scripts[7]} {
		for on, engine := range engines(b) {
			b.Run(name+"/"+on, func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					p, err := engine.Prepare(s.input())
					if err != nil {
						b.Fatal(err)
					}
					<-p.Ready()
					b.StartTimer()
					if got, err := p.Run(context.Background(), s.input()); err != nil || got.Code != 0 {
						b.Fatal(got, err)
					}
				}
			})
		}
	}
}

// largeScript is a script that says which it is.
func largeScript(n int) []byte {
	return []byte(fmt.Sprintf("print(%d)\n", n) + strings.Repeat("-- a comment of some length\n", 5000))
}

// TestLarge has texts that are given more memory than others.
func TestLarge(t *testing.T) {
	for name, engine := range engines(t) {
		got, err := engine.Run(context.Background(), &zencode.Input{Lua: true, Script: largeScript(7), Data: bytes.Repeat([]byte("x"), 1<<20), Limits: limits})
		if err != nil || got.Code != 0 || string(got.Output) != "7\n" {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
