package zenexec_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"carrel/door/zenexec"
	"carrel/guest/zencode/lines"
	"carrel/npm/npmtest"
	"carrel/npm/zenroom"
)

// install puts Zenroom where the programs look for it.
func install(t *testing.T) {
	t.Helper()
	tools := t.TempDir()
	if err := os.Mkdir(zenroom.Published.Dir(tools), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(npmtest.File(t, zenroom.FileName), filepath.Join(zenroom.Published.Dir(tools), zenroom.FileName)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ZENROOM_CACHE_DIR", tools)
	t.Setenv("CARREL_HOME", t.TempDir())
}

// main runs a program.
func main(p zenexec.Program, stdin io.Reader, args ...string) (code int, stdout, stderr string) {
	var out, log bytes.Buffer
	code = p.Main(args, zenexec.Host{Stdin: stdin, Stdout: &out, Stderr: &log, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	return code, out.String(), log.String()
}

func text(t *testing.T, in lines.Input) io.Reader {
	t.Helper()
	b, err := in.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(b)
}

var seed = "rngseed=hex:" + strings.Repeat("5a", 64)

const hello = "Given nothing\nThen print the string 'hello'\n"

func TestRun(t *testing.T) {
	install(t)
	large := `{"n":"` + strings.Repeat("x", 3_000_000) + `"}`
	for _, c := range []struct {
		name         string
		program      zenexec.Program
		in           lines.Input
		code         int
		stdout, says string
	}{
		{"hello", zenexec.Zencode, lines.Input{Script: []byte(hello)}, 0, "{\"output\":[\"hello\"]}\n", "Zenroom execution completed."},
		{"quiet", zenexec.Zencode, lines.Input{Conf: "debug=0", Script: []byte(hello), Keys: []byte("{}"), Data: []byte("{}"), Extra: []byte("{}"), Context: []byte("{}")}, 0, "{\"output\":[\"hello\"]}\n", "\"ZENROOM JSON LOG END\" ]\n"},
		{"seed", zenexec.Lua, lines.Input{Conf: seed, Script: []byte("print(OCTET.random(8):hex())")}, 0, "6e1f9cb24924e5ff\n", "LOG END"},
		{"inputs", zenexec.Lua, lines.Input{Script: []byte("print(KEYS, DATA, EXTRA, CONTEXT, LOGFMT)"), Keys: []byte("k"), Data: []byte("d"), Extra: []byte("e"), Context: []byte("lua\nc")}, 0, "k\td\te\tlua\nc\tJSON\n", "LOG END"},
		{"time", zenexec.Lua, lines.Input{Script: []byte("print(os.time())")}, 0, "1700000000\n", "LOG END"},
		{"larger than a native one takes", zenexec.Lua, lines.Input{Script: []byte("print(#DATA)" + strings.Repeat("\n", 20_000)), Data: []byte(large)}, 0, "3000008\n", "LOG END"},
		{"failure", zenexec.Zencode, lines.Input{Script: []byte("Given I have a 'string' named 'x'\nThen print data\n")}, 1, "", "Cannot find 'x' anywhere"},
		{"heap", zenexec.Zencode, lines.Input{Script: []byte("Given I have a 'string' named 'x'\nThen print data\n")}, 1, "", "J64 HEAP: "},
		{"bad conf", zenexec.Zencode, lines.Input{Conf: "debug;0", Script: []byte(hello)}, 1, "", "Error parsing configuration: debug;0,logfmt=json"},
		{"no script", zenexec.Zencode, lines.Input{Keys: []byte("{}")}, 1, "", "zencode-exec error: script too short.\n"},
		{"context of Lua", zenexec.Zencode, lines.Input{Script: []byte(hello), Context: []byte("lua\nprint(1)")}, 1, "", "zencode-exec error: the context is Lua, to be run before the script"},
	} {
		code, stdout, stderr := main(c.program, text(t, c.in))
		if code != c.code || stdout != c.stdout || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: exit %d, %q, %s", c.name, code, stdout, stderr)
		}
	}
	one := func() string {
		_, stdout, _ := main(zenexec.Lua, text(t, lines.Input{Script: []byte("print(OCTET.random(16):hex())")}))
		return stdout
	}
	if a, b := one(), one(); a == b || len(a) != 33 {
		t.Errorf("without a seed chance is %q and %q", a, b)
	}
}

func TestLimits(t *testing.T) {
	install(t)
	loop := lines.Input{Script: []byte("print('so far')\nwhile true do pcall(function() while true do end end) end")}
	t.Setenv("CARREL_FUEL", "500M")
	code, stdout, stderr := main(zenexec.Lua, text(t, loop))
	if code != 1 || stdout != "so far\n" || !strings.HasSuffix(stderr, "lua-exec: out of fuel after 500M units; CARREL_FUEL=N sets another limit\n") {
		t.Errorf("exit %d, %q, %s", code, stdout, stderr)
	}
	t.Setenv("CARREL_FUEL", "")
	t.Setenv("CARREL_MEMORY", "8MiB")
	if code, _, stderr := main(zenexec.Lua, text(t, loop)); code != 1 || !strings.Contains(stderr, "not enough memory") {
		t.Errorf("less memory than it begins with: exit %d, %s", code, stderr)
	}
	for _, c := range []struct{ name, value, says string }{
		{"CARREL_FUEL", "much", "lua-exec: CARREL_FUEL: \"much\" is not a whole number"},
		{"CARREL_MEMORY", "3GiB", "lua-exec: CARREL_MEMORY: memory of 3GiB: it must be 64KiB to 2GiB\n"},
		{"CARREL_ENGINE", "v8", "lua-exec: CARREL_ENGINE: \"v8\" is no engine"},
	} {
		t.Setenv("CARREL_MEMORY", "")
		t.Setenv(c.name, c.value)
		if code, stdout, stderr := main(zenexec.Lua, text(t, loop)); code != 1 || stdout != "" || !strings.HasPrefix(stderr, c.says) {
			t.Errorf("%s=%s: exit %d, %q, %s", c.name, c.value, code, stdout, stderr)
		}
		t.Setenv(c.name, "")
	}
}

// TestRefuses has no engine: nothing comes so far.
func TestRefuses(t *testing.T) {
	t.Setenv("CARREL_HOME", t.TempDir())
	t.Setenv("PATH", "")
	for _, c := range []struct {
		name   string
		in     io.Reader
		stderr string
	}{
		{"nothing", strings.NewReader(""), "zencode-exec missing conf at line 1\n"},
		{"no base64", strings.NewReader("\nYQ==\n{}\n"), "zencode-exec error: line 3 (keys) is no base64: illegal base64 data at input byte 0\n"},
		{"too long", io.MultiReader(strings.NewReader("\n"), endless{}), "zencode-exec error: base64 input line out of bounds.\n"},
		{"broken", iotest.ErrReader(errors.New("broken")), "read the conf: broken\n"},
		{"no engine", strings.NewReader("\nYQ==\n"), "zencode-exec: fetching the engine of Zencode (zenroom@5.38.1, AGPL-3.0-only), 3 MB, once\nzencode-exec: fetch the engine of Zencode: npm is not there"},
	} {
		if code, stdout, stderr := main(zenexec.Zencode, c.in); code != 1 || stdout != "" || !strings.HasPrefix(stderr, c.stderr) {
			t.Errorf("%s: exit %d, %q, %q", c.name, code, stdout, stderr)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte("A"), len(b))), nil }

func TestArguments(t *testing.T) {
	for _, c := range []struct {
		arg            string
		code           int
		stdout, stderr string
	}{
		{arg: "--version", stdout: "lua-exec of carrel, with zenroom@5.38.1\n"},
		{arg: "--help", stdout: "usage: stream | lua-exec\n"},
		{arg: "-h", stdout: "usage: stream | lua-exec\n"},
		{arg: "script.lua", code: 1, stderr: "usage: stream | lua-exec\n"},
	} {
		code, stdout, stderr := main(zenexec.Lua, strings.NewReader(""), c.arg)
		if code != c.code || !strings.HasPrefix(stdout, c.stdout) || !strings.HasPrefix(stderr, c.stderr) || (stdout == "") == (stderr == "") {
			t.Errorf("%s: exit %d, %q, %q", c.arg, code, stdout, stderr)
		}
	}
	if code := zenexec.Lua.Main([]string{"--help"}, zenexec.Host{Stdout: full{}}); code != 1 {
		t.Errorf("help for nobody: exit %d", code)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }
