package toolchain

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"carrel/tree"
)

const plan = `clang version 22.1.0 (somewhere)
Target: wasm32-unknown-wasip1
Thread model: posix
InstalledDir: 
Build config: +assertions
clang: warning: argument unused during compilation: '-flto=x' [-Wunused-command-line-argument]
 (in-process)
 "" "clang" "-cc1" "-D" "S=\"a b\"" "-o" "/.carrel/tmp/h-1.o" "-x" "c" "a\\b.c"
 "wasm-ld" "-m" "wasm32" "/.carrel/tmp/h-1.o" "-o" "a
 \"out\"
"
`

func TestParsePlan(t *testing.T) {
	jobs, rest := parsePlan(plan)
	want := []job{
		{"clang", "-cc1", "-D", `S="a b"`, "-o", "/.carrel/tmp/h-1.o", "-x", "c", `a\b.c`},
		{"wasm-ld", "-m", "wasm32", "/.carrel/tmp/h-1.o", "-o", "a\n \"out\"\n"},
	}
	if !slices.EqualFunc(jobs, want, slices.Equal[job]) {
		t.Errorf("jobs %q", jobs)
	}
	if !jobs[0].compiles() || jobs[1].compiles() {
		t.Error("the compiler is not told from the linker")
	}
	for line, want := range map[string]string{
		"clang -cc1 -dependency-file x.d -MT x": "x.d", "clang -cc1 -Eonly -dependency-file -": "-", "clang -cc1 x.c": "", "clang -dependency-file": "",
	} {
		if got := job(strings.Fields(line)).list(); got != want {
			t.Errorf("the list of %s is %q, want %q", line, got, want)
		}
	}
	if want := "clang: warning: argument unused during compilation: '-flto=x' [-Wunused-command-line-argument]\n"; rest != want {
		t.Errorf("the rest is %q", rest)
	}
	for _, bad := range []string{"", "\n", ` "open`, ` "a" "b\"`, "error: \"x\"\n"} {
		if jobs, rest := parsePlan(bad); len(jobs) > 0 || rest != bad {
			t.Errorf("%q is %q and %q", bad, jobs, rest)
		}
	}
}

func TestSystemPlaces(t *testing.T) {
	for name, want := range map[string]bool{
		"dev/stdout": true, "dev/full": true, "proc/version": true, "proc/self/fd/1": true, "sys/x": true,
		"dev/shm/x.o": false, "home/dev/x.o": false, "home/me/proc/x.o": false, "x.o": false,
	} {
		_, err := permitted(links{}, "/", []string{"clang", "-o", "/" + name}, []tree.Change{{Path: name, Kind: tree.File}})
		if errors.Is(err, ErrSystem) != want || (err != nil) != want {
			t.Errorf("%s is written: %v", name, err)
		}
	}
}

func TestThrows(t *testing.T) {
	for line, want := range map[string]bool{
		"clang -cc1 -x c++ e.cc":                                       false,
		"clang -cc1 -fexceptions -x c e.c":                             false,
		"clang -cc1 -fcxx-exceptions -fexceptions -x c++ e.cc":         true,
		"clang -cc1 -fexceptions -fobjc-exceptions -x objective-c e.m": true,
		"clang -cc1 -exception-model=seh -x c++ e.cc":                  true,
		"clang -cc1 -target-feature +exception-handling -x c e.c":      true,
		"wasm-ld -o +exception-handling":                               false,
	} {
		if got := job(strings.Fields(line)).throws(); got != want {
			t.Errorf("%s: %v, want %v", line, got, want)
		}
	}
	for args, want := range map[string]string{
		"-fexceptions -c e.cc":                      "-fexceptions asks ",
		"-fno-exceptions -fwasm-exceptions -c e.cc": "-fwasm-exceptions asks ",
		"-mexception-handling -fno-exceptions":      "-mexception-handling asks ",
		"-mllvm -wasm-enable-eh e.cc":               "-wasm-enable-eh asks ",
		"@flags e.cc":                               "an argument asks ",
	} {
		if got := refusal(strings.Fields(args)); !strings.HasPrefix(got, want) {
			t.Errorf("of %s: %q", args, got)
		}
	}
}

func FuzzParsePlan(f *testing.F) {
	f.Add(plan)
	f.Fuzz(func(t *testing.T, text string) {
		jobs, _ := parsePlan(text)
		for _, j := range jobs {
			if len(j) == 0 {
				t.Error("a job without a name")
			}
			var line strings.Builder
			for _, arg := range j {
				line.WriteString(` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(arg) + `"`)
			}
			if again, _ := parseJob(line.String() + "\n"); !slices.Equal(again, j) && j[0] != "" {
				t.Errorf("%q is read as %q", j, again)
			}
		}
	})
}

// links is a tree of links and what they lead to.
type links map[string]string

func (l links) Stat(name string) (tree.Kind, int64, error) {
	if _, ok := l[name]; ok {
		return tree.Link, 0, nil
	}
	return tree.Absent, 0, nil
}

func (l links) Link(name string) (string, error)       { return l[name], nil }
func (l links) List(string, int) ([]tree.Entry, error) { return nil, errors.ErrUnsupported }
func (l links) Read(string, int64) ([]byte, error)     { return nil, errors.ErrUnsupported }

func TestPermitted(t *testing.T) {
	root := links{"home/me/build": "../out", "abs": "/home", "home/me/last.d": "build/x.d", "home/me/loop": "loop", "home/me/nowhere": "/gone"}
	file := func(paths ...string) (list []tree.Change) {
		for _, p := range paths {
			list = append(list, tree.Change{Path: p, Was: tree.Absent, Kind: tree.File})
		}
		return list
	}
	for _, tt := range []struct {
		args     string
		changes  []tree.Change
		programs []string
		ok       bool
	}{
		{"clang -cc1 -o x.o x.c", file("home/me/x.o"), nil, true},
		{"clang -cc1 -o ../out/x.o x.c", file("home/out/x.o"), nil, true},
		{"clang -cc1 -o /tmp//x.o x.c", file("tmp/x.o"), nil, true},
		{"clang -cc1 -o x.o -dependency-file x.d x.c", file("home/me/x.d", "home/me/x.o"), nil, true},
		{"clang -cc1 -ftime-trace=t.json -o x.o x.c", file("home/me/t.json", "home/me/x.o"), nil, true},
		{"wasm-ld -o prog x.o", file("home/me/prog"), []string{"home/me/prog"}, true},
		{"wasm-ld x.o", file("home/me/a.out"), []string{"home/me/a.out"}, true},
		{"wasm-ld -oprog x.o", file("home/me/prog"), []string{"home/me/prog"}, true},
		{"llvm-objcopy --dump-section=s=out x.o", file("home/me/out"), nil, true},
		{"llvm-ar x libx.a", file("home/me/x.o", "home/me/y.o"), nil, true},
		{"llvm-ar -xv libx.a", file("home/me/x.o"), nil, true},
		{"llvm-ar --output=build xo libx.a", file("home/out/x.o"), nil, true},
		{"llvm-ar --output /.root/abs x libx.a", file("home/x.o"), nil, true},
		{"llvm-ar x --output=build libx.a", file("home/out/x.o"), nil, true},
		{"llvm-ar x libx.a --output build", file("home/out/x.o"), nil, true},
		{"llvm-ar --output build x libx.a", file("home/me/x.o"), nil, false},
		{"llvm-ar x libx.a", file("home/me/bin/x.o"), nil, false},
		{"llvm-ar x libx.a", file("home/x.o"), nil, false},
		{"llvm-ar rcs libx.a x.o", file("home/me/y.o"), nil, false},
		{"llvm-ar", file("home/me/y.o"), nil, false},
		{"llvm-nm x libx.a", file("home/me/x.o"), nil, false},
		{"llvm-ar rcs libx.a x.o", file("home/me/libx.a"), nil, true},
		{"clang -cc1 -o x.o x.c", file("home/me/.profile"), nil, false},
		{"clang -cc1 -o x.o x.c", file("home/me/x.o", "etc/passwd"), nil, false},
		{"clang -cc1 -o x.o x.c", file("x.o"), nil, false},
		{"clang", nil, nil, true},
		{"clang -cc1 -o build/x.o x.c", file("home/out/x.o"), nil, true},
		{"clang -cc1 -o build/../x.o x.c", file("home/x.o"), nil, true},
		{"clang -cc1 -o /.root/abs/me/x.o x.c", file("home/me/x.o"), nil, true},
		{"clang -cc1 -o build/../x.o x.c", file("home/me/x.o"), nil, false},
		{"clang -cc1 -o /.root/home/../home/me/x.o x.c", file("home/me/x.o"), nil, true},
		{"clang -cc1 -MF last.d -o x.o x.c", file("home/out/x.d", "home/me/x.o"), nil, true},
		{"clang -cc1 -o loop/x.o x.c", file("home/me/x.o"), nil, false},
		{"clang -cc1 -o nowhere/x.o x.c", file("home/me/x.o"), nil, false},
	} {
		programs, err := permitted(root, "/home/me", strings.Fields(tt.args), tt.changes)
		if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrNotNamed) || !slices.Equal(programs, tt.programs) {
			t.Errorf("%s writes %v: %v, %v", tt.args, tt.changes, programs, err)
		}
	}
}

func TestPermittedKinds(t *testing.T) {
	for kind, want := range map[tree.Kind]bool{tree.File: true, tree.Absent: true, tree.Link: false, tree.Dir: false} {
		change := tree.Change{Path: "home/x.o", Was: tree.File, Kind: kind, Target: "/home/me/.profile"}
		_, err := permitted(links{}, "/home", strings.Fields("clang -cc1 -o x.o x.c"), []tree.Change{change})
		if (err == nil) != want || errors.Is(err, ErrNotFile) == want {
			t.Errorf("a %v is written: %v", kind, err)
		}
	}
}

func TestCopies(t *testing.T) {
	for _, tt := range []struct {
		tool, args string
		want       []copying
	}{
		{"llvm-strip", "a.wasm", []copying{{[]string{"-o", "-", "a.wasm"}, "a.wasm", "a.wasm"}}},
		{"llvm-strip", "-g a b", []copying{{[]string{"-g", "-o", "-", "a"}, "a", "a"}, {[]string{"-g", "-o", "-", "b"}, "b", "b"}}},
		{"llvm-strip", "-K main a -o b", []copying{{[]string{"-K", "main", "-o", "-", "a"}, "a", "b"}}},
		{"llvm-strip", "-ob a", []copying{{[]string{"-o", "-", "a"}, "a", "b"}}},
		{"llvm-strip", "--output-file=b a", []copying{{[]string{"-o", "-", "a"}, "a", "b"}}},
		{"llvm-strip", "-g -- a b", []copying{{[]string{"-g", "-o", "-", "a"}, "a", "a"}, {[]string{"-g", "-o", "-", "b"}, "b", "b"}}},
		{"llvm-strip", "-o c a b", nil},
		{"llvm-strip", "--version", nil},
		{"llvm-strip", "", nil},
		{"llvm-objcopy", "a", []copying{{[]string{"a", "-"}, "a", "a"}}},
		{"llvm-objcopy", "--remove-section x a b", []copying{{[]string{"--remove-section", "x", "a", "-"}, "a", "b"}}},
		{"llvm-objcopy", "--remove-section=x a -", []copying{{[]string{"--remove-section=x", "a", "-"}, "a", "-"}}},
		{"llvm-objcopy", "a b c", nil},
	} {
		got := copies(tt.tool, strings.Fields(tt.args))
		if !slices.EqualFunc(got, tt.want, func(a, b copying) bool {
			return slices.Equal(a.args, b.args) && a.from == b.from && a.to == b.to
		}) {
			t.Errorf("%s %s: %+v, want %+v", tt.tool, tt.args, got, tt.want)
		}
	}
}
