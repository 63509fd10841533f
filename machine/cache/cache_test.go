package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"carrel/machine"
	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
	"carrel/machine/wasmtime"
	"carrel/machine/wazero"
	"carrel/turn"
)

// engines are all that this build has.
func engines(t testing.TB) []machine.Engine {
	compiled, err := wazero.Compiled(wazero.Options{})
	if err != nil {
		t.Fatal(err)
	}
	all := []machine.Engine{compiled, wazero.Interpreted(wazero.Options{})}
	if second, err := wasmtime.New(wasmtime.Options{}); err == nil {
		all = append(all, second)
	} else if !errors.Is(err, machine.ErrUnsupported) {
		t.Fatal(err)
	}
	return all
}

// program has everything in it that a metered module may hold, and run() gives n.
func program(n int) []byte {
	m := wasmgen.NewModule()
	m.ImportFunc("env", "f", wasmgen.Types(wasmgen.I32), nil)
	m.Memory(1, 2)
	m.Table(wasmgen.FuncRef, 1, 1)
	m.Global(wasmgen.V128, true, wasmgen.Const("v128.const 1 2"))
	f := m.Func(nil, wasmgen.Types(wasmgen.I32))
	f.Code(fmt.Sprintf("i32.const 1; i32.load8_u; i32.const %d; i32.add", n))
	start := m.Func(nil, nil)
	start.Code("i32.const 0; call 0")
	m.Export("run", f)
	m.Elem(0, wasmgen.Const("i32.const 0"), f.Index)
	m.Data(wasmgen.Const("i32.const 1"), []byte{3})
	m.Start(start.Index)
	return m.Bytes()
}

var imports = machine.Imports{{"env", "f"}: {
	Type: meter.FuncType{Params: []meter.ValType{meter.I32}},
	Call: func(*machine.Instance, []uint64) error { return nil },
}}

// loads loads program(n) and checks that it runs.
func loads(t testing.TB, c *Cache, engine machine.Engine, n int) {
	t.Helper()
	p, err := c.Load(context.Background(), engine, program(n))
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	i, err := p.Instantiate(turn.Limits{Fuel: 10_000, MemoryPages: 2}, imports)
	if err != nil {
		t.Fatal(err)
	}
	defer i.Close()
	if got, err := i.Call("run"); err != nil || got[0] != uint64(n+3) {
		t.Fatalf("run gave %d, %v; want %d", got, err, n+3)
	}
}

func open(t testing.TB, dir string, bytesMax int64) *Cache {
	t.Helper()
	c, err := Open(dir, bytesMax)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// contents are all files of a cache, by path.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestLoad(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine.Name(), func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "a", "cache")
			loads(t, open(t, dir, 0), engine, 1)
			before := contents(t, dir)
			if len(before) < 3 {
				t.Errorf("only %d files were kept", len(before))
			}
			for range 2 {
				loads(t, open(t, dir, 0), engine, 1)
			}
			if !reflect.DeepEqual(before, contents(t, dir)) {
				t.Error("loading again changed the cache")
			}
			loads(t, open(t, dir, 0), engine, 2)
			if after := contents(t, dir); len(after) != 2*len(before) {
				t.Errorf("%d files after a second program, %d before", len(after), len(before))
			}
		})
	}
}

// TestWarm shows that a warm load neither meters nor compiles: the entry's own
// metered module is what runs.
func TestWarm(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine.Name(), func(t *testing.T) {
			dir := t.TempDir()
			c := open(t, dir, 0)
			loads(t, c, engine, 1)
			entry := filepath.Join(dir, key(engine, program(1)))
			got, err := check(entry)
			if err != nil {
				t.Fatal(err)
			}
			module, err := decode(got)
			if err != nil {
				t.Fatal(err)
			}
			want, err := meter.Rewrite(program(1))
			if err != nil {
				t.Fatal(err)
			}
			if fmt.Sprintf("%#v", *module.Memory) != fmt.Sprintf("%#v", *want.Memory) {
				t.Errorf("memory is %v, want %v", module.Memory, want.Memory)
			}
			module.Memory, want.Memory = nil, nil
			want.Functions, want.Sections = nil, nil
			if module.Wasm == nil {
				want.Wasm = nil
			}
			if fmt.Sprintf("%+v", module) != fmt.Sprintf("%+v", want) { // empty is as good as nil
				t.Errorf("the kept module is\n%+v, want\n%+v", module, want)
			}
		})
	}
}

// TestDamage breaks each file of an entry in every way that a disk does; the
// program must run all the same, and the entry be whole again.
func TestDamage(t *testing.T) {
	damages := map[string]func(path string) error{
		"flip": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			b[len(b)/2] ^= 4
			return os.WriteFile(path, b, 0o600)
		},
		"cut":    func(path string) error { return os.Truncate(path, 1) },
		"empty":  func(path string) error { return os.Truncate(path, 0) },
		"remove": os.Remove,
		"foreign": func(path string) error {
			return os.WriteFile(filepath.Join(filepath.Dir(path), "foreign"), []byte("x"), 0o600)
		},
		"link": func(path string) error {
			return errors.Join(os.Rename(path, path+"~"), os.Symlink(path+"~", path))
		},
	}
	for _, engine := range engines(t) {
		dir := t.TempDir()
		loads(t, open(t, dir, 0), engine, 1)
		whole := contents(t, dir)
		for path := range whole {
			for name, damage := range damages {
				t.Run(engine.Name()+"/"+filepath.Base(path)+"/"+name, func(t *testing.T) {
					if err := damage(path); err != nil {
						t.Fatal(err)
					}
					loads(t, open(t, dir, 0), engine, 1)
					now := contents(t, dir)
					if len(now) != len(whole) {
						t.Fatalf("%d files, want %d", len(now), len(whole))
					}
					if _, err := check(filepath.Join(dir, key(engine, program(1)))); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}

// TestSwap puts the entry of one program in the place of another's.
func TestSwap(t *testing.T) {
	engine := engines(t)[0]
	dir := t.TempDir()
	c := open(t, dir, 0)
	loads(t, c, engine, 1)
	loads(t, c, engine, 2)
	one, two := filepath.Join(dir, key(engine, program(1))), filepath.Join(dir, key(engine, program(2)))
	if err := errors.Join(os.RemoveAll(one), os.Rename(two, one)); err != nil {
		t.Fatal(err)
	}
	loads(t, c, engine, 1)
}

func TestEvict(t *testing.T) {
	engine := engines(t)[0]
	dir := t.TempDir()
	c := open(t, dir, 0)
	for n := range 4 {
		loads(t, c, engine, n)
		used := time.Unix(int64(1_000_000+n), 0)
		if err := os.Chtimes(filepath.Join(dir, key(engine, program(n))), used, used); err != nil {
			t.Fatal(err)
		}
	}
	one := size(filepath.Join(dir, key(engine, program(0))))
	loads(t, c, engine, 0) // used again: program 1 is the oldest now
	small := open(t, dir, 3*one+one/2)
	loads(t, small, engine, 4)
	var left []string
	for n := range 5 {
		if _, err := os.Stat(filepath.Join(dir, key(engine, program(n)))); err == nil {
			left = append(left, fmt.Sprint(n))
		}
	}
	if got := strings.Join(left, " "); got != "0 3 4" {
		t.Errorf("programs %s are left, want 0 3 4", got)
	}
	loads(t, open(t, dir, 1), engine, 5) // nothing fits, and it runs
	if left := contents(t, dir); len(left) != 0 {
		t.Errorf("%d files are left of a cache of one byte", len(left))
	}
}

func TestOrphans(t *testing.T) {
	engine := engines(t)[0]
	dir := t.TempDir()
	old, young := filepath.Join(dir, tempPrefix+"old"), filepath.Join(dir, tempPrefix+"young")
	for _, d := range []string{old, young} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * tempAge)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	loads(t, open(t, dir, 0), engine, 1)
	if _, err := os.Stat(old); err == nil {
		t.Error("what a dead process left is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error("what another process is making is gone")
	}
}

// TestConcurrent has many loaders and a wrecker in one directory.
func TestConcurrent(t *testing.T) {
	for _, engine := range engines(t) {
		t.Run(engine.Name(), func(t *testing.T) {
			dir := t.TempDir()
			var group sync.WaitGroup
			for g := range 6 {
				group.Go(func() {
					c := open(t, dir, int64(g)*40_000+1)
					for n := range 8 {
						loads(t, c, engine, n%3)
					}
				})
			}
			group.Wait()
		})
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := open(t, dir, 0).Load(context.Background(), engines(t)[0], []byte("no program"))
	if refusal := (*meter.Refusal)(nil); !errors.As(err, &refusal) {
		t.Errorf("%v, want a refusal", err)
	}
	if left := contents(t, dir); len(left) != 0 {
		t.Errorf("%d files of a refused program", len(left))
	}
}

// TestUnwritable: a cache that cannot be written is no reason not to run.
func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	c := open(t, dir, 0)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	loads(t, c, engines(t)[0], 1)
}

func TestOthersMayNotWrite(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, 0); err == nil {
		t.Error("a directory that everybody may write to was opened")
	}
}

func TestKey(t *testing.T) {
	all := engines(t)
	seen := map[string]bool{}
	for _, engine := range all {
		for n := range 2 {
			seen[key(engine, program(n))] = true
		}
	}
	if len(seen) != 2*len(all) {
		t.Errorf("%d keys for %d programs and engines", len(seen), 2*len(all))
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, engine := range engines(b) {
		c := open(b, b.TempDir(), 0)
		benchmark := func(name string, load func(ctx context.Context, engine machine.Engine, wasm []byte) (*machine.Program, error)) {
			b.Run(engine.Name()+"/"+name, func(b *testing.B) {
				for b.Loop() {
					p, err := load(b.Context(), engine, program(1))
					if err != nil {
						b.Fatal(err)
					}
					p.Close()
				}
			})
		}
		benchmark("cold", machine.Load)
		benchmark("warm", c.Load)
	}
}
