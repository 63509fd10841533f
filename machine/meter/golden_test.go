package meter_test

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
)

var update = flag.Bool("update", false, "write the golden hashes anew: a change of the machine version")

// TestGolden holds what the rewriter makes of many modules against recorded
// hashes: the modules of the WebAssembly specification's tests, a hash for each
// of its files, and some of our own that are built below.
func TestGolden(t *testing.T) {
	var got bytes.Buffer
	for _, m := range own {
		module := wasmgen.NewModule()
		m.build(module)
		fmt.Fprintf(&got, "%s %s\n", m.name, verdict(t, module.Bytes()))
	}
	for _, group := range specification(t) {
		hash := sha256.New()
		for _, file := range group.files {
			wasm, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(hash, verdict(t, wasm))
		}
		fmt.Fprintf(&got, "spec %s %d %x\n", group.name, len(group.files), hash.Sum(nil))
	}
	golden := filepath.Join("testdata", "golden.txt")
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(gotLines), len(wantLines)) {
		if i >= len(gotLines) || i >= len(wantLines) || gotLines[i] != wantLines[i] {
			t.Fatalf("line %d of %s differs: the rewriter is another machine version now", i+1, golden)
		}
	}
}

// verdict is the hash of a rewritten module, or where and why it is refused.
func verdict(t *testing.T, wasm []byte) string {
	t.Helper()
	before := bytes.Clone(wasm)
	module, err := meter.Rewrite(wasm)
	if !bytes.Equal(before, wasm) {
		t.Fatal("Rewrite changed its input")
	}
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%x", sha256.Sum256(module.Wasm))
}

type group struct {
	name  string
	files []string
}

var numbered = regexp.MustCompile(`^(.*)\.(\d+)\.wasm$`)

// specification finds the modules of the specification's tests, which wazero's
// module carries, by the file that they come from.
func specification(t *testing.T) []group {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatalf("find wazero's module: %v", err)
	}
	dir := filepath.Join(strings.TrimSpace(string(out)), "internal/integration_test/spectest/v2/testdata")
	files, err := filepath.Glob(filepath.Join(dir, "*.wasm"))
	if err != nil || len(files) < 1000 {
		t.Fatalf("%d modules of the specification in %s: %v", len(files), dir, err)
	}
	number := func(file string) (name string, n int) {
		parts := numbered.FindStringSubmatch(filepath.Base(file))
		if parts == nil {
			t.Fatalf("name of %s", file)
		}
		fmt.Sscan(parts[2], &n)
		return parts[1], n
	}
	slices.SortFunc(files, func(a, b string) int {
		nameA, numberA := number(a)
		nameB, numberB := number(b)
		if nameA != nameB {
			return strings.Compare(nameA, nameB)
		}
		return numberA - numberB
	})
	var groups []group
	for _, file := range files {
		name, _ := number(file)
		if len(groups) == 0 || groups[len(groups)-1].name != name {
			groups = append(groups, group{name: name})
		}
		last := &groups[len(groups)-1]
		last.files = append(last.files, file)
	}
	return groups
}

// own are modules that show one part of the rewriting each.
var own = []struct {
	name  string
	build func(*wasmgen.Module)
}{
	{"empty", func(m *wasmgen.Module) {}},
	{"grown by the host", func(m *wasmgen.Module) {
		m.ImportFunc(meter.ResizeModule, meter.ResizeName, i32s(1), i32s(1))
		m.Memory(1, 2)
		m.Export("f", m.Func(i32s(1), i32s(1)).Code("local.get 0; call 0"))
	}},
	{"straight", func(m *wasmgen.Module) {
		m.Export("f", m.Func(i32s(1), i32s(1)).Code("local.get 0; i32.const 1; i32.add"))
	}},
	{"recursive", func(m *wasmgen.Module) {
		m.Export("fib", m.Func(i32s(1), i32s(1)).Code(`
			local.get 0; i32.const 2; i32.lt_u
			if i32
				local.get 0
			else
				local.get 0; i32.const 1; i32.sub; call 0
				local.get 0; i32.const 2; i32.sub; call 0
				i32.add
			end`))
	}},
	{"small loop", func(m *wasmgen.Module) {
		m.Memory(1, 1)
		m.Export("sum", m.Func(i32s(1), i32s(1)).Code(`
			loop
				local.get 0; i32.const 1; i32.sub; local.tee 0
				br_if 0
			end
			local.get 0`))
	}},
	{"nested loops", func(m *wasmgen.Module) {
		m.Export("f", m.Func(i32s(2), nil).Code(`
			block
				loop
					local.get 1; i32.eqz; br_if 1
					loop
						local.get 0; br_if 2
						local.get 1; if; br 1; end
					end
					br 0
				end
			end`))
	}},
	{"host calls", func(m *wasmgen.Module) {
		log := m.ImportFunc("env", "log", i32s(1), nil)
		table := m.Table(wasmgen.FuncRef, 2, 2)
		m.Elem(table, wasmgen.Const("i32.const 0"), log)
		m.Export("f", m.Func(i32s(1), nil).Code("local.get 0; call 0"))
		m.ExportIndex("log", wasmgen.KindFunc, log)
	}},
	{"invokes", func(m *wasmgen.Module) {
		m.ImportFunc("env", "invoke_ii", i32s(2), i32s(1))
		m.ImportFunc("env", "invoke_v", i32s(1), nil)
		m.ImportFunc("env", "invoke_v", i32s(1), nil)
		m.ImportFunc("env", "invoke_", nil, nil)   // takes no entry
		m.ImportFunc("wasi", "invoke_v", nil, nil) // another thing
		m.Table(wasmgen.FuncRef, 2, 2)
		m.Export("f", m.Func(i32s(2), i32s(1)).Code("local.get 0; local.get 1; call 0"))
	}},
	{"bulk", func(m *wasmgen.Module) {
		m.Memory(1, 4)
		m.DataPassive([]byte("passive"))
		m.Data(wasmgen.Const("i32.const 8"), []byte("active"))
		m.Export("f", m.Func(i32s(1), i32s(1)).Code(`
			i32.const 0; i32.const 0; local.get 0; memory.init 0
			i32.const 0; i32.const 0; i32.const 7; memory.init 1
			i32.const 0; i32.const 1; i32.const 64; memory.fill
			i32.const 0; i32.const 1; local.get 0; memory.copy
			data.drop 0
			local.get 0; memory.grow`))
	}},
	{"much in calls", func(m *wasmgen.Module) {
		m.Func(nil, nil).Code(strings.Repeat("i32.const 0; drop\n", 2000)) // 4,000 units
		m.Func(nil, nil).Code(strings.Repeat("call 0\n", 20))              // 80,000: its entry is checked
		m.Func(nil, nil).Code(strings.Repeat("call 0\n", 40))              // and its end
	}},
	{"floats", func(m *wasmgen.Module) {
		m.Memory(1, 1)
		f := m.Func([]wasmgen.ValType{wasmgen.F64, wasmgen.F32}, []wasmgen.ValType{wasmgen.I64})
		f.Code(`
			i32.const 0; local.get 0; f64.store
			i32.const 0; i32.const 8; f64.load; f64.store
			i32.const 0; local.get 1; f32.sqrt; f32.store
			i32.const 8; f64.load; i32.const 16; f64.load; f64.copysign
			local.get 0; f64.copysign
			i64.reinterpret_f64`)
		m.Export("f", f)
	}},
}

func i32s(n int) []wasmgen.ValType {
	return slices.Repeat([]wasmgen.ValType{wasmgen.I32}, n)
}
