package posix

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/turn"
)

var update = flag.Bool("update", false, "write golden files anew")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

var dataTree = fakeTree{
	"a.txt": "alpha", "sub/": "", "sub/b.txt": "beta", "to-b": "->sub/b.txt", "out": "->../../etc/passwd",
	"unread": "never looked into",
}

// A Go program sees what its inputs say, and what it saw is enough to run it
// again with the same result.
func TestGoProgram(t *testing.T) {
	wasm := BuildGo(t, "gowasi")
	blobs := map[string][]byte{}
	var out, errs bytes.Buffer
	config := Config{
		Args: []string{"gowasi", "x y"}, Env: []string{"B=2", "A=1"}, Start: 1_700_000_000_000_000_000,
		Stdin: strings.NewReader("some input"), Stdout: &out, Stderr: &errs,
		Mounts: []Mount{{Guest: "/jobs", Writable: true, Tree: fakeTree{"old": "old"}}, {Guest: "/data", Tree: dataTree}, {Guest: "/tmp", Writable: true}},
		Blob: func(digest string, content []byte) error {
			blobs[digest] = bytes.Clone(content)
			return nil
		},
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	end := runWasm(t, wasm, s)
	if end.Class != turn.Exit || end.Code != 7 {
		t.Fatalf("ended %+v: %v", end, s.Err())
	}
	changes, err := s.Changes()
	if err != nil {
		t.Fatal(err)
	}
	text := out.String() + errs.String() + showChanges(changes) + showObservations(s.Observations())
	golden(t, "testdata/gowasi.golden", text)

	var again, errsAgain bytes.Buffer
	config.Stdin, config.Stdout, config.Stderr, config.Blob = strings.NewReader("some input"), &again, &errsAgain, nil
	for i := range config.Mounts[:2] {
		tree, err := Replay(s.Observations(), i, func(digest string) ([]byte, error) { return blobs[digest], nil })
		if err != nil {
			t.Fatal(err)
		}
		config.Mounts[i].Tree = tree
	}
	r, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if again := runWasm(t, wasm, r); again != end {
		t.Fatalf("replay ended %+v, not %+v: %v", again, end, r.Err())
	}
	if again.String() != out.String() || r.Result() != s.Result() {
		t.Error("replay differs")
	}
	replayed, err := r.Changes()
	if diff := cmp.Diff(changes, replayed); diff != "" || err != nil {
		t.Errorf("replay changes otherwise: %v\n%s", err, diff)
	}
	if diff := cmp.Diff(s.Observations(), r.Observations()); diff != "" {
		t.Errorf("replay observes otherwise:\n%s", diff)
	}
}

// Programs in C, Rust, Zig and TinyGo that are part of wazero's module.
func TestWazeroPrograms(t *testing.T) {
	text, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(strings.TrimSpace(string(text)), "imports", modulePreview1)
	tree := fakeTree{"d/": "", "d/-": "x", "d/a-": "", "d/ab-": "", "sub/": "", "sub/test.txt": "greet sub dir\n", "test.txt": "hi\n"}
	mounts := []Mount{{Guest: "/", Writable: true, Tree: tree}}
	for _, tt := range []struct {
		program string
		args    []string
		stdin   string
		want    string
		code    uint32
	}{
		{"testdata/print_args.wasm", []string{"wasi", "arg1"}, "", "wasi\x00arg1\x00", 0},
		{"testdata/print_prestat_dirname.wasm", nil, "", "/", 0},
		{"testdata/exit_on_start.wasm", nil, "", "", 2},
		{"testdata/exit_on_start_unstable.wasm", nil, "", "", 2},
		{"example/testdata/cargo-wasi/cat.wasm", []string{"cat", "/test.txt"}, "", "hi\n", 0},
		{"example/testdata/zig/cat.wasm", []string{"cat", "test.txt"}, "", "hi\n", 0},
		{"example/testdata/zig-cc/cat.wasm", []string{"cat", "/sub/test.txt"}, "", "greet sub dir\n", 0},
		{"example/testdata/tinygo/cat.wasm", []string{"cat", "/test.txt"}, "", "hi\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "ls", "d"}, "", "./.\n./..\n./-\n./a-\n./ab-\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "ls", "d", "repeat"}, "", "./.\n./..\n./-\n./a-\n./ab-\n./.\n./..\n./-\n./a-\n./ab-\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "ls", "test.txt"}, "", "ENOTDIR\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "stat"}, "", "stdin isatty: false\nstdout isatty: false\nstderr isatty: false\n/ isatty: false\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "poll"}, "", "STDIN\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "poll", "5", "500"}, "x", "STDIN\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "sleepmillis", "100"}, "", "OK\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "open-rdonly"}, "", "OK\n", 0},
		{"testdata/zig-cc/wasi.wasm", []string{"wasi", "open-wronly"}, "", "OK\n", 0},
		{"testdata/cargo-wasi/wasi.wasm", []string{"wasi", "ls", "d"}, "", "d/-\nd/a-\nd/ab-\n", 0},
		{"testdata/cargo-wasi/wasi.wasm", []string{"wasi", "ls", "test.txt"}, "", "ENOTDIR\n", 0},
		{"testdata/cargo-wasi/wasi.wasm", []string{"wasi", "stat"}, "", "stdin isatty: false\nstdout isatty: false\nstderr isatty: false\n/ isatty: false\n", 0},
		{"testdata/zig/wasi.wasm", []string{"wasi", "ls", "d"}, "", "./-\n./a-\n./ab-\n", 0},
		{"testdata/zig/wasi.wasm", []string{"wasi", "stat"}, "", "stdin isatty: false\nstdout isatty: false\nstderr isatty: false\n/ isatty: false\n", 0},
		{"testdata/tinygo/wasi.wasm", []string{"wasi", "ls", "d"}, "", "./-\n./a-\n./ab-\n", 0},
	} {
		t.Run(tt.program+strings.Join(tt.args, " "), func(t *testing.T) {
			wasm, err := os.ReadFile(filepath.Join(root, tt.program))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			s, err := New(Config{Args: tt.args, Stdin: strings.NewReader(tt.stdin), Stdout: &out, Stderr: &out, Mounts: mounts})
			if err != nil {
				t.Fatal(err)
			}
			end := runWasm(t, wasm, s)
			if end.Class != turn.Exit || end.Code != tt.code || out.String() != tt.want {
				t.Errorf("%+v %v\n%q, want %q", end, s.Err(), out.String(), tt.want)
			}
		})
	}
}
