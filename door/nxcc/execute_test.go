package nxcc

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/door/zenexec"
	"carrel/guest/zencode"
	"carrel/guest/zencode/secret"
	"carrel/machine"
	"carrel/machine/cache"
	"carrel/machine/engines"
	"carrel/npm/zenroom"
	"carrel/turn"
)

// TestMain has this program be zencode-exec or lua-exec if that is its name.
func TestMain(m *testing.M) {
	host := zenexec.Host{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now}
	switch filepath.Base(os.Args[0]) {
	case zenexec.Zencode.Name:
		os.Exit(zenexec.Zencode.Main(os.Args[1:], host))
	case zenexec.Lua.Name:
		os.Exit(zenexec.Lua.Main(os.Args[1:], host))
	}
	code := m.Run()
	if made.dir != "" {
		_ = os.RemoveAll(made.dir)
	}
	os.Exit(code)
}

var made struct {
	sync.Once
	dir        string // a home
	wasm, glue []byte
	code       *cache.Cache
	err        error
}

// zenroomHome makes a home with the engine of Zencode, as make programs has fetched it.
func zenroomHome(t testing.TB) string {
	t.Helper()
	made.Do(func() {
		made.err = func() (err error) {
			if made.glue, err = os.ReadFile("../../.cache/programs/" + zenroom.FileName); err != nil {
				return err
			}
			if made.dir, err = os.MkdirTemp("", "carrel-nxcc-*"); err != nil {
				return err
			}
			dir := zenroom.Published.Dir(filepath.Join(made.dir, "tools"))
			if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, zenroom.FileName), made.glue, 0o644)); err != nil {
				return err
			}
			if made.wasm, err = zencode.Wasm(made.glue); err != nil {
				return err
			}
			made.code, err = cache.Open(filepath.Join(made.dir, "code"), 0)
			return err
		}()
	})
	if made.err != nil {
		t.Fatalf("the engine is not there: run make programs (%v)", made.err)
	}
	t.Setenv("CARREL_HOME", made.dir)
	return made.dir
}

// newMachine is a Machine on the fastest engine.
func newMachine(t testing.TB, change func(*MachineOptions)) *Machine {
	t.Helper()
	zenroomHome(t)
	on, err := engines.Open(engines.Auto)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := zencode.Load(context.Background(), made.glue, func(ctx context.Context, wasm []byte) (*machine.Program, error) { return made.code.Load(ctx, on, wasm) })
	if err != nil {
		t.Fatal(err)
	}
	options := MachineOptions{Engine: engine, Wasm: made.wasm, Glue: made.glue, Limits: turn.Limits{Fuel: fuelDefault, MemoryPages: memoryDefault >> 16}, Running: 2}
	if change != nil {
		change(&options)
	}
	m := NewMachine(options)
	t.Cleanup(func() {
		if err := errors.Join(m.Close(), on.Close()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// newNative is what runs executables: the ones that this program can be.
func newNative(t *testing.T) *Native {
	t.Helper()
	zenroomHome(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	n := &Native{Zencode: filepath.Join(dir, zenexec.Zencode.Name), Lua: filepath.Join(dir, zenexec.Lua.Name)}
	for _, name := range []string{n.Zencode, n.Lua} {
		if err := os.Symlink(self, name); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// usualJob is a script with empty inputs.
func usualJob(lua bool, script string) *Job {
	none := []byte("{}")
	return &Job{
		Lua: lua, Script: []byte(script), Conf: "debug=0", Keys: none, Data: none, Extra: none, Context: none, SecretLimits: secret.Defaults,
		Now: time.Unix(1_700_000_000, 0), Timeout: time.Minute, StdoutMax: 1 << 18, StderrMax: 1 << 18,
	}
}

// executorTests are what every executor must do.
var executorTests = []struct {
	name   string
	job    func() *Job
	code   int
	stdout string
	says   string // in what is logged
	fails  string // code and message
	over   [2]bool
}{
	{"hello", func() *Job { return usualJob(false, "Given nothing\nThen print the string 'Hello_World'\n") }, 0, "{\"output\":[\"Hello_World\"]}\n", "ZENROOM JSON LOG END", "", [2]bool{}},
	{"inputs", func() *Job {
		j := usualJob(true, "print(DATA, KEYS, EXTRA, CONTEXT)")
		j.Data, j.Keys, j.Extra, j.Context = []byte(`{"d":1}`), []byte(`{"k":{"$secret":"S","encoding":"hex"}}`), []byte(`[2]`), []byte(`"c"`)
		j.Secrets = map[string][]byte{"S": {1, 2, 3}}
		return j
	}, 0, "{\"d\":1}\t{\"k\":\"010203\"}\t[2]\t\"c\"\n", "", "", [2]bool{}},
	{"the time", func() *Job { return usualJob(true, "print(#tostring(os.time()))") }, 0, "10\n", "", "", [2]bool{}},
	{"a script that fails", func() *Job { return usualJob(false, "Given nothing\nWhen I do what nobody knows\n") }, 1, "", "pattern not found (when)", "", [2]bool{}},
	{"a conf that is none", func() *Job { j := usualJob(true, "print(1)"); j.Conf = "nonsense=1"; return j }, 1, "", "Error parsing configuration", "", [2]bool{}},
	{"a secret that is missing", func() *Job { j := usualJob(true, "print(1)"); j.Keys = []byte(`{"$secret":"S"}`); return j }, -1, "", "", "secret_injection_failed: Missing secret 'S'", [2]bool{}},
	{"a loop", func() *Job {
		j := usualJob(true, "print('begun') while true do pcall(function() while true do end end) end")
		j.Timeout = 500 * time.Millisecond
		return j
	}, -1, "begun\n", "", "timeout: Zenroom execution timed out", [2]bool{}},
	{"no output at all", func() *Job { j := usualJob(true, "print(1)"); j.StdoutMax = 0; return j }, -1, "", "", "", [2]bool{true, false}},
	{"a flood beyond all", func() *Job {
		j := usualJob(true, "while true do print(string.rep('x', 1000000)) end")
		j.StdoutMax = 1 << 30
		return j
	}, -1, strings.Repeat("x", 1_000_000), "", "", [2]bool{true, false}},
	{"exactly enough", func() *Job { j := usualJob(true, "print(string.rep('x', 99))"); j.StdoutMax = 100; return j }, 0, strings.Repeat("x", 99) + "\n", "", "", [2]bool{}},
	{"a flood", func() *Job {
		j := usualJob(true, "while true do print(string.rep('x', 100000)) end")
		j.StdoutMax = 1000
		return j
	}, -1, strings.Repeat("x", 1000), "", "", [2]bool{true, false}},
	{"a flood of the log", func() *Job {
		j := usualJob(true, "while true do warn(string.rep('x', 100000)) end")
		j.StderrMax = 1000
		return j
	}, -1, "", "", "", [2]bool{false, true}},
	{"large inputs", func() *Job {
		j := usualJob(true, "print(#DATA)")
		j.Data = []byte(`"` + strings.Repeat("x", 1<<20) + `"`)
		return j
	}, 0, "1048578\n", "", "", [2]bool{}},
}

// TestExecutors has what every executor must do, on the machine and by executables.
func TestExecutors(t *testing.T) {
	for name, executor := range map[string]Executor{"machine": newMachine(t, nil), "unprepared": newMachine(t, func(o *MachineOptions) { o.Prepared = -1 }), "native": newNative(t)} {
		for _, c := range executorTests {
			if name == "native" && strings.Contains(c.name, "a flood") {
				continue // our own zencode-exec prints when the script has ended: see the tests of package native
			}
			if name == "native" && c.name == "a loop" {
				c.stdout = ""
			}
			t.Run(name+"/"+c.name, func(t *testing.T) {
				for range 2 { // the second may be prepared
					x := executor.Execute(t.Context(), c.job())
					fails := ""
					if x.Problem != nil {
						fails = x.Problem.Code + ": " + x.Problem.Message
					}
					if x.Code != c.code || !strings.HasPrefix(string(x.Stdout), c.stdout) || len(x.Stdout) != len(c.stdout) && c.name != "a flood beyond all" || !strings.Contains(string(x.Stderr), c.says) || fails != c.fails || x.StdoutOver != c.over[0] || x.StderrOver != c.over[1] {
						t.Errorf("%d, %.200q, %.500s, %s, %v %v", x.Code, x.Stdout, x.Stderr, fails, x.StdoutOver, x.StderrOver)
					}
				}
			})
		}
		none := usualJob(true, "print(1)")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if x := executor.Execute(ctx, none); x.Problem == nil || x.Problem.Code != codeExec {
			t.Errorf("%s, abandoned: %+v", name, x)
		}
	}
	if x := (&Native{Zencode: "none-such"}).Execute(t.Context(), usualJob(false, "x")); x.Problem == nil || x.Problem.Code != codeExec || x.Code != -1 {
		t.Errorf("no executable: %+v", x)
	}
}

// TestMemoryOfAJob has a job end by itself that takes all memory, and another in as
// little as the engine needs.
func TestMemoryOfAJob(t *testing.T) {
	m := newMachine(t, nil)
	bomb := usualJob(true, "local t = {} while true do t[#t + 1] = string.rep('x', 100000 + #t) end")
	bomb.MemoryBytes = 64 << 20
	if x := m.Execute(t.Context(), bomb); x.Code != 1 || !strings.Contains(string(x.Stderr), "not enough memory") {
		t.Errorf("%d %s %+v", x.Code, x.Stderr, x.Problem)
	}
	small := usualJob(true, "print(1)")
	small.MemoryBytes = 1 << 20
	if x := m.Execute(t.Context(), small); x.Problem == nil || x.Problem.Code != codeExec || !strings.Contains(x.Problem.Message, "needs 8192 KiB of memory") {
		t.Errorf("%+v", x.Problem)
	}
}

// TestPreparedIsUsed has jobs be run by instances that wait for them, each with a seed
// of its own.
func TestPreparedIsUsed(t *testing.T) {
	m := newMachine(t, nil)
	job := usualJob(true, "print(OCTET.random(16):hex())")
	seen := map[string]bool{}
	for range 5 {
		m.Expect(job)
		x := m.Execute(t.Context(), job)
		if x.Code != 0 || seen[string(x.Stdout)] {
			t.Errorf("%d %s, again: %v", x.Code, x.Stdout, seen[string(x.Stdout)])
		}
		seen[string(x.Stdout)] = true
	}
	for m.pool.Waiting() == 0 { // until the last one asked for is there
		time.Sleep(time.Millisecond)
	}
}

// TestHundred has a hundred jobs at once: two run, all end.
func TestHundred(t *testing.T) {
	m := newMachine(t, nil)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if x := m.Execute(t.Context(), usualJob(false, "Given nothing\nThen print the string 'x'\n")); x.Code != 0 || string(x.Stdout) != "{\"output\":[\"x\"]}\n" {
				t.Errorf("%d %s %+v", x.Code, x.Stdout, x.Problem)
			}
		})
	}
	all.Wait()
}
