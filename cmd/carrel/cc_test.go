//go:build wasmtime

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"carrel/disk"
	"carrel/toolchain"
	"carrel/toolchain/daemon"
	"carrel/turn"
)

// TestTools compiles, links, archives and runs C and C++ with the toolchain as a
// guest, as make would call it, by one compiled compiler.
func TestTools(t *testing.T) {
	programs, err := filepath.Abs("../../.cache/programs")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(programs, "tools")); err != nil {
		t.Fatalf("the toolchain is not there: run make programs (%v)", err)
	}
	home := t.TempDir()
	if err := os.Symlink(filepath.Join(programs, "tools"), filepath.Join(home, "tools")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("CARREL_HOME", home)
	t.Setenv(backgroundVariable, "off")
	dir := t.TempDir()
	t.Chdir(dir)
	file := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	does := func(want int, line string) (stdout, stderr string) {
		t.Helper()
		stdout, stderr, code := carrel(nil, strings.Fields(line)...)
		if code != want {
			t.Fatalf("carrel %s: exit code %d, want %d\n%s%s", line, code, want, stdout, stderr)
		}
		return stdout, stderr
	}
	says := func(line, want string) {
		t.Helper()
		if stdout, stderr := does(0, line); stdout != want {
			t.Fatalf("carrel %s: %q, want %q\n%s", line, stdout, want, stderr)
		}
	}
	content := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}

	file("src/main.c", "#include <stdio.h>\n#include \"../inc/n.h\"\nint twice(int);\nint main(void) { printf(\"%d\\n\", twice(N)); return 0; }\n")
	file("src/twice.c", "int twice(int n) { return 2 * n; }\n")
	file("inc/n.h", "#define N 21\n")
	file("bad.c", "int main( { return 0; }\n")
	file("words.cc", "#include <iostream>\n#include <map>\n#include <string>\nint main() { std::map<std::string, int> m; m[\"answer\"] = 42; for (auto& p : m) std::cout << p.first << ' ' << p.second << std::endl; }\n")

	says("cc -O2 -o main.wasm src/main.c src/twice.c", "")
	says("run main.wasm", "42\n")
	if info, err := os.Stat("main.wasm"); err != nil || info.Mode().Perm()&0o100 == 0 {
		t.Errorf("what was linked cannot be executed: %v", err)
	}

	does(0, "cc -c -O2 -MD -MF main.d -o main.o src/main.c")
	if deps := string(content("main.d")); !strings.Contains(deps, "main.o: src/main.c") || !strings.Contains(deps, "src/../inc/n.h") {
		t.Errorf("dependencies %q", deps)
	}
	before := content("main.o")
	if out, _ := does(0, "cc -E -I"+dir+"/inc "+dir+"/src/main.c"); !strings.Contains(out, `"`+dir+`/src/main.c"`) || strings.Contains(out, ".root") {
		t.Errorf("of a source with an absolute path: %.300q", out)
	}
	file("abs.c", "#include \""+dir+"/inc/n.h\"\nint n = N;\n")
	file("in/abs.c", string(content("abs.c")))
	file("in/"+dir+"/inc/n.h", "#error not this one\n")
	file("in/rel.c", "#include \""+dir[1:]+"/inc/n.h\"\n")
	t.Chdir("in")
	if out, _ := does(0, "cc -E -MD -MF abs.d -MT x abs.c"); !strings.HasSuffix(out, "int n = 21;\n") {
		t.Errorf("of a source that includes an absolute name: %s", out)
	}
	if deps := string(content("abs.d")); deps != "x: abs.c "+dir+"/inc/n.h\n" && deps != "x: abs.c \\\n  "+dir+"/inc/n.h\n" {
		t.Errorf("dependencies %q", deps)
	}
	if _, stderr := does(1, "cc -E rel.c"); !strings.Contains(stderr, "error: not this one") {
		t.Errorf("a relative name is taken for an absolute one: %s", stderr)
	}
	t.Chdir(dir)
	if _, stderr := does(1, "cc -c -o bad.o "+dir+"/bad.c"); !strings.HasPrefix(stderr, dir+"/bad.c:1:11: error: ") {
		t.Errorf("errors %q", stderr)
	}
	does(0, "cc -c -O2 -o "+dir+"/main.o src/main.c")
	if !bytes.Equal(before, content("main.o")) {
		t.Error("the same compilation gave another object")
	}
	does(0, "cc -c -o twice.o src/twice.c")
	does(0, "ar rcs libtwice.a twice.o")
	if symbols, _ := does(0, "nm libtwice.a"); !strings.Contains(symbols, " T twice") {
		t.Errorf("symbols %q", symbols)
	}
	does(0, "cc -o linked.wasm main.o -L. -ltwice")
	says("run linked.wasm", "42\n")
	does(0, "strip -o stripped.wasm linked.wasm")
	if len(content("stripped.wasm")) >= len(content("linked.wasm")) {
		t.Error("nothing was stripped")
	}
	says("run stripped.wasm", "42\n")

	file("jump.c", "#include <setjmp.h>\n#include <stdio.h>\nstatic jmp_buf at;\nstatic void down(int n) { if (n == 0) longjmp(at, 7); down(n - 1); }\n"+
		"int main(void) { volatile int tries = 0; int got = setjmp(at); tries++; if (got == 0) down(5); printf(\"%d after %d\\n\", got, tries); return 0; }\n")
	does(0, "cc -O2 -o jump.wasm jump.c")
	says("run jump.wasm", "7 after 2\n")
	says("run --engine wazero jump.wasm", "7 after 2\n")

	file("lacks.c", "#include <stdio.h>\n#include <stdlib.h>\nint main(void) { char name[L_tmpnam]; FILE *f = tmpfile(); fputs(\"kept\", f); rewind(f); char b[9] = {0}; fread(b, 1, 8, f); "+
		"printf(\"%s %d %d %s %s\\n\", b, system(NULL), system(\"ls\"), tmpnam(name), tmpnam(NULL)); return 0; }\n")
	if _, stderr := does(0, "cc -std=c99 -Wall -o lacks.wasm lacks.c"); stderr != "" {
		t.Errorf("warnings %q", stderr)
	}
	says("run lacks.wasm", "kept 0 -1 /tmp/c99.1 /tmp/c99.2\n")

	does(0, "c++ -O1 -o words.wasm words.cc")
	says("run words.wasm", "answer 42\n")

	file("throw.cc", "int main(int n, char**) { try { if (n > 3) throw n; } catch (int) { return 1; } }\n")
	for _, tool := range []string{"c++", "cc"} {
		if _, stderr := does(1, tool+" -c throw.cc"); !strings.Contains(stderr, "error: cannot use 'throw' with exceptions disabled") {
			t.Errorf("errors %q", stderr)
		}
		if _, stderr := does(1, tool+" -fexceptions throw.cc"); !strings.HasPrefix(stderr, "carrel "+tool+": error: -fexceptions asks for exceptions, which are not supported") {
			t.Errorf("errors %q", stderr)
		}
	}
	if _, stderr := does(1, "c++ -fwasm-exceptions -c throw.cc"); !strings.HasPrefix(stderr, "carrel c++: error: -fwasm-exceptions asks ") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("errors %q", stderr)
	}
	does(0, "cc -fexceptions -c -o twice.o src/twice.c")
	does(0, "cc -Werror -S -o twice.s src/twice.c")
	does(0, "cc -Werror -c -o twice.o twice.s") // what we give beside, and is not used, is no warning

	if out, _ := does(0, "cc -E inc/n.h"); !strings.Contains(out, "n.h") {
		t.Errorf("preprocessed %q", out)
	}
	stdout, stderr, code := carrel(bytes.NewBufferString("int f(void) { return 3; }"), "cc", "-x", "c", "-S", "-O1", "-o", "-", "-")
	if code != 0 || !strings.Contains(stdout, "i32.const\t3") {
		t.Errorf("from standard input: exit code %d, %q, %q", code, stdout, stderr)
	}

	// What clang says, with its exit code, and nothing written.
	if _, stderr := does(1, "cc -c -o bad.o bad.c"); !strings.HasPrefix(stderr, "bad.c:1:11: error: expected parameter declarator") || !strings.Contains(stderr, "3 errors generated.") {
		t.Errorf("errors %q", stderr)
	}
	if _, err := os.Stat("bad.o"); err == nil {
		t.Error("a failed compilation left an object")
	}
	if _, stderr := does(1, "cc nothing.c"); stderr != "clang: error: no such file or directory: 'nothing.c'\n" {
		t.Errorf("errors %q", stderr)
	}
	if _, stderr := does(1, "cc -O2"); stderr != "clang: error: no input files\n" {
		t.Errorf("errors %q", stderr)
	}
	file("lost.c", "#include <nothere.h>\n")
	file("loop.c", "#include \"loop.c\"\n")
	file("deeper.cc", "template<int N> struct A { static const int v = A<N+1>::v; }; int x = A<0>::v;\n")
	file("self", "@self")
	file("ff.c", "int \xff = 3;\n")
	if err := syscall.Mkfifo("fifo.c", 0o600); err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"cc -c lost.c":                   "lost.c:1:10: fatal error: 'nothere.h' file not found\n",
		"cc -c loop.c":                   "loop.c:1:10: error: #include nested too deeply\n",
		"c++ -c deeper.cc":               "fatal error: recursive template instantiation exceeded maximum depth of 1024\n",
		"cc -c ff.c":                     "ff.c:1:5: error: source file is not valid UTF-8\n",
		"cc -c fifo.c":                   "error: error reading 'fifo.c': Not supported\n",
		"cc -c -x c /dev/zero":           "error: error reading '/dev/zero': Not supported\n",
		"cc @self":                       "recursive expansion of: '" + dir + "/self'\n",
		"cc -c -o src src/twice.c":       "error: unable to open output file 'src': 'Is a directory'\n",
		"cc -c -o fifo.c src/twice.c":    "error: unable to open output file 'fifo.c': 'Not supported'\n",
		"cc -c -o /dev/full src/twice.c": "error: unable to open output file '/dev/full': 'Not supported'\n",
		"ar":                             "llvm-ar: error: an archive name must be specified\n",
	} {
		if _, stderr := does(1, line); !strings.Contains(stderr, want) {
			t.Errorf("carrel %s: errors %q, want %q", line, stderr, want)
		}
	}
	does(0, "cc -c -o /dev/stdout src/twice.c")
	if _, err := os.Readlink("/dev/stdout"); err != nil {
		t.Errorf("/dev/stdout is a plain file now: %v", err)
	}
	if _, stderr := does(exitError, "cc -c -o /proc/version src/twice.c"); !strings.Contains(stderr, "/proc/version: devices, and what is in /proc") {
		t.Errorf("errors %q", stderr)
	}
	if err := os.Symlink("inc", "link"); err != nil {
		t.Fatal(err)
	}
	does(0, "cc -c -o link/x.o src/twice.c")
	does(0, "strip -o link/y.o "+dir+"/link/x.o")
	content("inc/y.o")
	t.Setenv("CARREL_FUEL", "10k")
	if _, stderr := does(exitFuel, "cc -c -o fuel.o src/twice.c"); stderr != "carrel: cc: out of fuel after 10k units; CARREL_FUEL=N sets another limit\n" {
		t.Errorf("errors %q", stderr)
	}
	t.Setenv("CARREL_FUEL", "much")
	if _, stderr := does(exitError, "cc -c src/twice.c"); !strings.Contains(stderr, `CARREL_FUEL: "much" is not a whole number`) {
		t.Errorf("errors %q", stderr)
	}
	t.Setenv("CARREL_FUEL", "")
	does(0, "cc -c -o /dev/null src/twice.c")
	if out, _ := does(0, "cc -dM -E -x c /dev/null"); !strings.Contains(out, "#define __wasm32__ 1") {
		t.Errorf("macros %.200q", out)
	}
	if _, stderr := does(1, "cc -c -o missing/x.o src/twice.c"); !strings.Contains(stderr, "unable to open output file") {
		t.Errorf("errors %q", stderr)
	}
	if out, _ := does(0, "cc --version"); !strings.HasPrefix(out, "clang version 22.") {
		t.Errorf("version %q", out)
	}
	if leftover, err := filepath.Glob("*.tmp"); err != nil || len(leftover) > 0 {
		t.Errorf("left behind: %v, %v", leftover, err)
	}

	t.Run("receipts", func(t *testing.T) { testBuildReceipts(t, does) })
	t.Run("background", func(t *testing.T) { testBackground(t, does, content) })
	testLibrary(t, filepath.Join(programs, "../../toolchain/support/testdata"))
}

// testBuildReceipts verifies builds, on the other engine too.
func testBuildReceipts(t *testing.T, does func(int, string) (stdout, stderr string)) {
	does(0, "cc --receipt r.json -O2 -MD -o main.wasm "+dirOf(t)+"/src/main.c src/twice.c")
	if out, _ := does(0, "receipt show r.json"); !strings.Contains(out, "turn       3 of 3") || !strings.Contains(out, `command    ["cc" "-O2"`) {
		t.Errorf("the receipt of two compilations and a link:\n%s", out)
	}
	if out, _ := does(0, "verify r.json"); !strings.HasPrefix(out, "same: ") {
		t.Errorf("verified: %q", out)
	}
	does(0, "receipt export -o r.bundle r.json")
	// Without what was kept here: only the bundle, and a compiled compiler.
	if err := os.Rename(filepath.Join(os.Getenv("CARREL_HOME"), "blobs"), "blobs"); err != nil {
		t.Fatal(err)
	}
	if out, _ := does(2, "verify r.json"); !strings.Contains(out, "turn 1 of 3") && !strings.Contains(out, "missing sha256:") {
		t.Errorf("verified without its inputs: %q", out)
	}
	if out, _ := does(0, "verify r.bundle"); !strings.HasPrefix(out, "same: ") {
		t.Errorf("verified: %q", out)
	}

	// A build that fails has a receipt, and so has one of a tool.
	does(1, "cc --receipt=bad.json -c bad.c")
	if out, _ := does(0, "receipt show bad.json"); !strings.Contains(out, "class      exit, code 1") {
		t.Errorf("the receipt of a failed compilation:\n%s", out)
	}
	does(0, "verify bad.json")
	if err := os.Mkdir("receipts", 0o755); err != nil {
		t.Fatal(err)
	}
	does(0, "cc --receipt receipts -c -o twice.o src/twice.c")
	does(0, "strip --receipt receipts -o bare.wasm main.wasm")
	does(1, "cc --receipt receipts nothing.c") // nothing ran
	names, err := filepath.Glob("receipts/*")
	if err != nil || len(names) != 2 || !strings.HasPrefix(names[1], "receipts/twice.o-") {
		t.Errorf("receipts %q, %v", names, err)
	}
	for _, name := range names {
		does(0, "verify "+name)
	}

	for line, want := range map[string]string{
		"cc --receipt":                        "carrel: --receipt FILE: the receipt of a build goes",
		"cc --receipt none/r.json src/main.c": "carrel: --receipt: write none/r.json: no such file or directory",
	} {
		if _, stderr := does(exitError, line); !strings.HasPrefix(stderr, want) {
			t.Errorf("%s: %q", line, stderr)
		}
	}
}

func dirOf(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// testBackground runs commands through the process in the background, which is a
// goroutine here.
func testBackground(t *testing.T, does func(int, string) (stdout, stderr string), content func(string) []byte) {
	t.Setenv(backgroundVariable, "soon")
	if _, stderr := does(exitError, "cc src/twice.c"); !strings.Contains(stderr, `CARREL_BACKGROUND: "soon" is neither off nor a time`) {
		t.Errorf("errors %q", stderr)
	}
	t.Setenv("TMPDIR", t.TempDir())
	t.Setenv("XDG_RUNTIME_DIR", "")
	t.Setenv(backgroundVariable, "2s")
	done := make(chan string, 1)
	go func() {
		_, stderr, code := carrel(nil, "background")
		done <- fmt.Sprint(code, stderr)
	}()
	b, err := findBackground("auto")
	if err != nil || b == nil {
		t.Fatal(b, err)
	}
	for start := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(b.socket); err == nil {
			break
		}
		if time.Since(start) > time.Minute {
			t.Fatal("it does not begin")
		}
	}
	before := content("main.o")
	does(0, "cc -c -O2 -o main.o src/main.c")
	if !bytes.Equal(before, content("main.o")) {
		t.Error("the same compilation gave another object in the background")
	}
	source, err := disk.Open("/")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var out bytes.Buffer
	code, err := daemon.Run(t.Context(), b.socket, &toolchain.Command{
		Tool: "cc", Args: []string{"--version"}, Dir: "/", Root: source, Limits: turn.Limits{Fuel: toolFuel, MemoryPages: turn.MemoryPagesMax},
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out,
	})
	if err != nil || code != 0 || !strings.HasPrefix(out.String(), "clang version 22.") {
		t.Errorf("exit code %d, %v: %s", code, err, &out)
	}
	if _, stderr, code := carrel(nil, "background"); code != 0 || stderr != "" {
		t.Errorf("a second one: exit code %d, %q", code, stderr)
	}
	if ended := <-done; ended != "0" {
		t.Errorf("it ended with %s", ended)
	}
	if _, err := os.Stat(b.socket); err == nil {
		t.Error("it left its socket")
	}
}
