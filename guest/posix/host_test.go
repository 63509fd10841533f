package posix_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"carrel/disk"
	"carrel/guest/posix"
	"carrel/machine"
	"carrel/machine/wazero"
	"carrel/turn"
)

// hostTree lays the same tree out in a directory of the host, in an order, with
// an umask and a time.
func hostTree(t *testing.T, backwards bool, umask int, at time.Time) string {
	t.Helper()
	defer syscall.Umask(syscall.Umask(umask))
	root := filepath.Join(t.TempDir(), "root")
	var names []string
	for _, a := range "zyxabc" {
		for _, b := range "021" {
			names = append(names, string(a)+"/"+string(b))
		}
	}
	if backwards {
		slices.Reverse(names)
	}
	for _, name := range names {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a/0", filepath.Join(root, "link")); err != nil {
		t.Fatal(err)
	}
	return root
}

// run runs the Go test program over a directory of the host and writes back
// what it did.
func run(t *testing.T, program *machine.Program, root string) (turn.Outcome, string, []posix.Observation) {
	t.Helper()
	source, err := disk.Open(root)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	var out bytes.Buffer
	system, err := posix.New(posix.Config{
		Args: []string{"gowasi"}, Stdin: strings.NewReader("in"), Stdout: &out, Stderr: &out,
		Mounts: []posix.Mount{{Guest: "/jobs", Writable: true, Tree: source}, {Guest: "/data", Tree: source}, {Guest: "/tmp", Writable: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	instance, err := program.Instantiate(turn.Limits{Fuel: 1 << 40, MemoryPages: 4096}, posix.Imports())
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close()
	outcome := instance.Outcome(system.Run(instance))
	changes, err := system.Changes()
	if err != nil {
		t.Fatal(err)
	}
	if err := disk.Apply(root, changes); err != nil {
		t.Fatal(err)
	}
	return outcome, out.String(), system.Observations()
}

// The order, times and permissions of the host's files are of no account.
func TestHostDirectory(t *testing.T) {
	wasm := posix.BuildGo(t, "gowasi")
	engine := wazero.Interpreted(wazero.Options{})
	defer engine.Close()
	program, err := machine.Load(t.Context(), engine, wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	a := hostTree(t, false, 0o022, time.Unix(1e9, 0))
	b := hostTree(t, true, 0o077, time.Unix(1.5e9, 7))
	outcomeA, outA, seenA := run(t, program, a)
	outcomeB, outB, seenB := run(t, program, b)
	if outcomeA.Class != turn.Exit || outcomeA != outcomeB {
		t.Errorf("%+v and %+v", outcomeA, outcomeB)
	}
	if diff := cmp.Diff(outA, outB); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(seenA, seenB); diff != "" {
		t.Error(diff)
	}
	for _, root := range []string{a, b} {
		content, err := os.ReadFile(filepath.Join(root, "hard"))
		if string(content) != "hel" || err != nil {
			t.Errorf("written back: %q %v", content, err)
		}
		if _, err := os.Lstat(filepath.Join(root, "a", "moved")); err != nil {
			t.Error(err)
		}
	}
}
