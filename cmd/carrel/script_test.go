package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"carrel/machine/engines"
	"carrel/machine/machinetest/wasmgen"
	"carrel/program/keys"
	"carrel/receipt"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"carrel": main})
}

// TestScripts tells the command line in scripts: testdata/script. Each has a
// CARREL_HOME of its own; compiled code is shared by all.
func TestScripts(t *testing.T) {
	shared := t.TempDir()
	build(t, filepath.Join(shared, "guest.wasm"))
	params := testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, ".home")
			code := filepath.Join(shared, "code")
			env.Setenv("CARREL_HOME", home)
			env.Setenv("GUEST", filepath.Join(shared, "guest.wasm"))
			return firstError(os.MkdirAll(home, 0o700), os.MkdirAll(code, 0o700), os.Symlink(code, filepath.Join(home, "code")))
		},
		Condition: func(cond string) (bool, error) {
			name, ok := strings.CutPrefix(cond, "engine:")
			if !ok {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			return slices.Contains(engines.BuiltIn(), name), nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"asm":     assemble,
			"exits":   exitsWith,
			"lie":     lie,
			"patch":   patch,
			"reactor": reactor,
			"sparse":  sparse,
		},
	}
	testscript.Run(t, params)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// build builds the program of testdata/guest for WASI.
func build(t *testing.T, to string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, "./testdata/guest")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the guest: %v\n%s", err, out)
	}
}

// asm [-g] FILE CODE writes a program: CODE is the body of _start, in the text form
// of package wasmgen. With -g it has debugging information, see wasmgen.Debug:
// _start is space::main, inlined into start. Function 0 is proc_exit, 1 is fd_write, 2 is _start, 3
// takes and gives an i32. Memory has 1 page and may have 1,000; "hello" and a
// newline are at 16, and a buffer that names them at 8. Table entry 0 is
// _start, 1 is function 3, 2 is empty.
func assemble(ts *testscript.TestScript, neg bool, args []string) {
	debug := len(args) > 0 && args[0] == "-g"
	if debug {
		args = args[1:]
	}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: asm [-g] FILE CODE")
	}
	types := wasmgen.Types
	m := wasmgen.NewModule()
	i32 := wasmgen.I32
	m.ImportFunc("wasi_snapshot_preview1", "proc_exit", types(i32), nil)
	m.ImportFunc("wasi_snapshot_preview1", "fd_write", types(i32, i32, i32, i32), types(i32))
	m.Memory(1, 1000)
	m.Table(wasmgen.FuncRef, 3, 3)
	start := m.Func(nil, nil)
	start.Code(strings.Join(args[1:], "\n"))
	same := m.Func(types(i32), types(i32))
	same.Code("local.get 0")
	m.Elem(0, wasmgen.Const("i32.const 0"), start.Index, same.Index)
	m.Data(wasmgen.Const("i32.const 8"), []byte("\x10\x00\x00\x00\x06\x00\x00\x00hello\n"))
	m.Export("_start", start)
	m.ExportIndex("memory", wasmgen.KindMemory, 0)
	wasm := m.Bytes()
	if debug {
		wasm = wasmgen.Debug(wasm, wasmgen.Described{Name: "start", Inlined: "_ZN5space4mainEi"})
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), wasm, 0o644))
}

// reactor FILE [INSTRUCTION] writes a program that is called again and again:
// _initialize sets its total to 100; add(i32) adds to the total and gives it;
// half(f64), clock, chance give numbers; fail exits with 3, trap traps. With an
// INSTRUCTION, one of its functions has that.
func reactor(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: reactor FILE [INSTRUCTION]")
	}
	types := wasmgen.Types
	i32, i64, f64 := wasmgen.I32, wasmgen.I64, wasmgen.F64
	m := wasmgen.NewModule()
	wasi := func(name string, params ...wasmgen.ValType) {
		m.ImportFunc("wasi_snapshot_preview1", name, params, types(i32))
	}
	m.ImportFunc("wasi_snapshot_preview1", "proc_exit", types(i32), nil)
	wasi("clock_time_get", i32, i64, i32)
	wasi("random_get", i32, i32)
	m.Memory(1, 1000)
	m.Table(wasmgen.FuncRef, 3, 3)
	for _, f := range []struct {
		name            string
		params, results []wasmgen.ValType
		code            string
	}{
		{"_initialize", nil, nil, "i32.const 16; i32.const 16; i32.load; i32.const 100; i32.add; i32.store"},
		{"add", types(i32), types(i32), "i32.const 16; i32.const 16; i32.load; local.get 0; i32.add; i32.store; i32.const 16; i32.load"},
		{"half", types(f64), types(f64), "local.get 0; f64.const 0.5; f64.mul"},
		{"clock", nil, types(i64, i64), "i32.const 0; i64.const 0; i32.const 32; call 1; drop; i32.const 1; i64.const 0; i32.const 40; call 1; drop; i32.const 32; i64.load; i32.const 40; i64.load"},
		{"chance", nil, types(i64), "i32.const 32; i32.const 8; call 2; drop; i32.const 32; i64.load"},
		{"fail", nil, nil, "i32.const 16; i32.const 0; i32.store; i32.const 3; call 0"},
		{"trap", nil, nil, "i32.const 16; i32.const 0; i32.store; unreachable"},
		{"other", nil, nil, strings.Join(args[1:], "\n")},
	} {
		made := m.Func(f.params, f.results)
		made.Code(f.code)
		m.Export(f.name, made)
	}
	m.ExportIndex("memory", wasmgen.KindMemory, 0)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), m.Bytes(), 0o644))
}

// exits CODE PROGRAM ARG... runs a program that must end with that code. Its
// output is there for stdout and stderr, as after exec.
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := err.(*exec.ExitError); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// lie RECEIPT FIELD FILE writes a receipt that is false in one field, signed by
// the key of CARREL_HOME.
func lie(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: lie RECEIPT FIELD FILE")
	}
	statement, envelope, err := receipt.Open([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	r := statement.(*receipt.Receipt)
	switch args[1] {
	case "fuel":
		r.Result.Fuel = r.Result.Fuel/10*10 - 9
	case "stdout":
		r.Result.Stdout = receipt.NewBlob([]byte("something else"))
	case "code":
		r.Result.Code++
	case "stdin":
		r.Input.Stdin = receipt.Stdin{Blob: receipt.NewBlob(nil)}
	case "returned":
		r.Result.Returned = []string{"i32:109"}
	case "version":
		r.Input.MachineVersion++
	case "unobserved":
		for n := range r.Input.Mounts {
			r.Input.Mounts[n].Observed = nil
		}
	case "signature", "beside", "claim":
	default:
		ts.Fatalf("no field %q", args[1])
	}
	key, err := keys.At(filepath.Join(ts.Getenv("CARREL_HOME"), "keys")).Current()
	ts.Check(err)
	signed, err := receipt.Sign(r, key)
	ts.Check(err)
	switch first := envelope.Signatures[0]; args[1] {
	case "signature":
		first.Sig[0] ^= 1
		signed = envelope
	case "beside": // a broken one beside a good one
		first.Sig = append([]byte{first.Sig[0] ^ 1}, first.Sig[1:]...)
		signed = envelope
		signed.Signatures = append(signed.Signatures, first)
	case "claim": // by somebody with a name that would write elsewhere on a terminal
		signed = envelope
		signed.Signatures[0].KeyID = "\x1b[2Jnobody\nsame"
	}
	text, err := signed.Encode()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), text, 0o644))
}

// patch FILE OFFSET BYTE changes a byte of a file; a negative offset counts
// from the end.
func patch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: patch FILE OFFSET BYTE")
	}
	content := []byte(ts.ReadFile(args[0]))
	offset, err := strconv.Atoi(args[1])
	ts.Check(err)
	value, err := strconv.ParseUint(args[2], 0, 8)
	ts.Check(err)
	if offset < 0 {
		offset += len(content)
	}
	content[offset] = byte(value)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), content, 0o644))
}

// sparse FILE BYTES makes a file larger, or cuts it short; what is new is zero.
func sparse(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sparse FILE BYTES")
	}
	n, err := strconv.ParseInt(args[1], 0, 64)
	ts.Check(err)
	name := ts.MkAbs(args[0])
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o644)
	ts.Check(err)
	defer file.Close()
	ts.Check(file.Truncate(n))
}
