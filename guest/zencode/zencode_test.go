package zencode_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"carrel/guest/zencode"
	"carrel/machine"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
	"carrel/turn"
)

var limits = turn.Limits{Fuel: 10_000_000_000, MemoryPages: 2048}

func glue(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("../../.cache/programs/zenroom.js")
	if err != nil {
		t.Fatalf("zenroom.js is not there: run make programs (%v)", err)
	}
	return b
}

var made struct {
	sync.Mutex
	engines map[string]*zencode.Engine
}

// engines are Zenroom on the engines that this build has and that are fast; made once.
func engines(t testing.TB) map[string]*zencode.Engine {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.engines != nil {
		return made.engines
	}
	glue := glue(t)
	wasm, err := zencode.Wasm(glue)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := wazero.Compiled(wazero.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	machines := []machine.Engine{compiled}
	if second, err := wasmtime.New(wasmtime.Options{}); err == nil {
		machines = append(machines, second)
	} else if !errors.Is(err, machine.ErrUnsupported) {
		t.Fatal(err)
	}
	made.engines = map[string]*zencode.Engine{}
	for _, m := range machines {
		program, err := machine.Load(context.Background(), m, wasm)
		if err != nil {
			t.Fatal(err)
		}
		if made.engines[m.Name()], err = zencode.New(program, glue); err != nil {
			t.Fatal(err)
		}
	}
	return made.engines
}

// A script is a case of a test: one that node runs too.
type script struct {
	Name    string `json:"-"`
	Lua     bool   `json:"lua"`
	Script  string `json:"script"`
	Conf    string `json:"conf"`
	Keys    string `json:"keys"`
	Data    string `json:"data"`
	Extra   string `json:"extra"`
	Context string `json:"context"`
}

var seeded = "rngseed=hex:" + strings.Repeat("5a", 64)

func (s *script) input() *zencode.Input {
	return &zencode.Input{
		Lua: s.Lua, Script: []byte(s.Script), Conf: s.Conf, Keys: []byte(s.Keys), Data: []byte(s.Data), Extra: []byte(s.Extra), Context: []byte(s.Context), Limits: limits,
	}
}

// onNode runs scripts on npm's zenroom.
func onNode(t *testing.T, scripts []script) (answers []struct {
	OK     bool   `json:"ok"`
	Result string `json:"result"`
	Logs   string `json:"logs"`
}) {
	t.Helper()
	cases, err := json.Marshal(scripts)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.Command("node", "testdata/node.mjs")
	node.Stdin = bytes.NewReader(cases)
	var stderr bytes.Buffer
	node.Stderr = &stderr
	out, err := node.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(out, &answers); err != nil || len(answers) != len(scripts) {
		t.Fatalf("node: %v\n%s", err, out)
	}
	return answers
}

// withoutMemory is a log without the memory that was used: that depends on what node
// ran before, and on when.
func withoutMemory(log string) string { return memoryUsed.ReplaceAllString(log, "Memory used") }

var memoryUsed = regexp.MustCompile(`Memory used: [0-9]+ KB`)

// TestAsNode has scripts of many scenarios print what they print on node, and log
// what they log there, on all engines, with the same fuel.
func TestAsNode(t *testing.T) {
	all := scripts
	for n := range all {
		all[n].Conf = seeded
	}
	for n, want := range onNode(t, all) {
		s := &all[n]
		t.Run(s.Name, func(t *testing.T) {
			fuel := uint64(0)
			for name, engine := range engines(t) {
				got, err := engine.Run(context.Background(), s.input())
				if err != nil {
					t.Fatal(err)
				}
				code := uint32(1)
				if want.OK {
					code = 0
				}
				if got.Class != turn.Exit || got.Code != code || string(got.Output) != want.Result || withoutMemory(string(got.Log)) != withoutMemory(want.Logs) {
					t.Errorf("%s: %v %d %s\n%s%s\nnode: %v\n%s%s", name, got.Class, got.Code, got.Text, got.Output, got.Log, want.OK, want.Result, want.Logs)
				}
				if fuel != 0 && fuel != got.Fuel {
					t.Errorf("%s: %d units, another engine %d", name, got.Fuel, fuel)
				}
				fuel = got.Fuel
			}
		})
	}
}

// TestConfs has scripts give what they give on node under every configuration that
// there is: some change what the engine does before it looks at a script.
func TestConfs(t *testing.T) {
	var all []script
	for _, conf := range []string{"debug=0", "debug=1", "debug=3", "verbose=2", "scope=full", "scope=given", "logfmt=json", "logfmt=text", "logfmt=text,logfmt=json", "logfmt=json,logfmt=text", "maxiter=dec:10", "maxmem=dec:1024", "memblocknum=64,memblocksize=256", "scope=given,logfmt=text", "nonsense=1", "debug =1"} {
		for _, n := range []int{0, 1, 2, 4, 5, 7} {
			s := scripts[n]
			s.Conf = conf + "," + seeded
			all = append(all, s, script{Lua: true, Script: "print(DATA, KEYS, OCTET.random(8):hex())", Conf: s.Conf, Data: s.Data, Keys: s.Keys})
		}
	}
	for n, want := range onNode(t, all) {
		for name, engine := range engines(t) {
			got, err := engine.Run(context.Background(), all[n].input())
			if err != nil {
				t.Fatal(err)
			}
			if got.Class != turn.Exit || (got.Code == 0) != want.OK || string(got.Output) != want.Result {
				t.Errorf("%s, %s, %s: %v %d\n%s%s\nnode: %v\n%s", name, all[n].Name, all[n].Conf[:30], got.Class, got.Code, got.Output, got.Log, want.OK, want.Result)
			}
		}
	}
}

// TestTwenty runs some scripts twenty times on each engine: all of it is the same.
func TestTwenty(t *testing.T) {
	for _, s := range []script{signing("ecdh", "ecdh"), signing("qp", "mldsa44"), {Lua: true, Script: "print(tostring({}), os.time(), os.clock(), math.random())\nfor k in pairs({ a = 1, b = 2, c = 3 }) do print(k) end"}} {
		first := ""
		for name, engine := range engines(t) {
			for range 20 {
				got, err := engine.Run(context.Background(), s.input())
				if err != nil || got.Class != turn.Exit {
					t.Fatalf("%s: %+v, %v", name, got, err)
				}
				all := fmt.Sprintf("%d %d\n%s%s", got.Fuel, got.Code, got.Output, got.Log)
				if first == "" {
					first = all
				} else if all != first {
					t.Fatalf("%s: %s\nbefore\n%s", name, all, first)
				}
			}
		}
	}
}

// cpu is the time of processors that this process has used, in nanoseconds.
func cpu(b *testing.B) float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkRun is a script in a process that has the engine loaded.
func BenchmarkRun(b *testing.B) {
	for name, s := range map[string]script{"hello": scripts[0], "keyring": scripts[7]} {
		for on, engine := range engines(b) {
			b.Run(name+"/"+on, func(b *testing.B) {
				before := cpu(b)
				for b.Loop() {
					if got, err := engine.Run(context.Background(), s.input()); err != nil || got.Code != 0 {
						b.Fatal(got, err)
					}
				}
				b.ReportMetric((cpu(b)-before)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}
