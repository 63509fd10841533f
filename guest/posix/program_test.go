package posix

import (
	"bytes"
	"flag"
	"os"
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
	wasm := buildGo(t, "gowasi")
	blobs := map[string][]byte{}
	var out, errs bytes.Buffer
	config := Config{
		Args: []string{"gowasi", "x y"}, Env: []string{"B=2", "A=1"}, Start: 1_700_000_000_000_000_000,
		Stdin: strings.NewReader("some input"), Stdout: &out, Stderr: &errs,
		Mounts: WithTemp([]Mount{{Guest: "/work", Writable: true, Tree: fakeTree{"old": "old"}}, {Guest: "/data", Tree: dataTree}}),
		Blob: func(digest string, content []byte) error {
			blobs[digest] = bytes.Clone(content)
			return nil
		},
	}
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	if end := runWasm(t, wasm, s); end != (ended{7, turn.Exit}) {
		t.Fatalf("ended %v: %v", end, s.Err())
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
	if end := runWasm(t, wasm, r); end != (ended{7, turn.Exit}) {
		t.Fatalf("replay ended %v: %v", end, r.Err())
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
