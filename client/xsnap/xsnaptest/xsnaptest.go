// Package xsnaptest finds the workers that tests drive: Carrel's, which it builds,
// and the one of npm's @agoric/xsnap, which make xsnap builds.
package xsnaptest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"carrel/guest/js"
	"carrel/npm/quickjs"
)

// Root is the root of the module.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Program is a file that make programs fetches.
func Program(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(Root(), ".cache", "programs", name))
	if err != nil {
		t.Fatalf("%s is not there: run make programs (%v)", name, err)
	}
	return b
}

var built struct {
	sync.Mutex
	path string
}

// Worker builds Carrel's worker, once, and has it find the engine of JavaScript.
// The directory is left to the system's cleaning of temporary files, unless Clean
// is called.
func Worker(t testing.TB) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if built.path != "" {
		return built.path
	}
	dir, err := os.MkdirTemp("", "carrel-xsnap-")
	if err != nil {
		t.Fatal(err)
	}
	tools := quickjs.Dir(filepath.Join(dir, "home", "tools"))
	if err := os.MkdirAll(tools, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tools, quickjs.FileName), Program(t, quickjs.FileName), 0o644); err != nil {
		t.Fatal(err)
	}
	os.Setenv("CARREL_HOME", filepath.Join(dir, "home"))
	path := filepath.Join(dir, "xsnap-worker")
	with := slices.Clone(tags)
	if js.Embedded() != nil {
		with = append(with, "engine")
	}
	build := exec.Command("go", "build", "-tags", strings.Join(with, ","), "-o", path, "./cmd/xsnap-worker")
	build.Dir = Root()
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the worker: %v\n%s", err, said)
	}
	built.path = path
	return path
}

// Clean removes what Worker made. It is for TestMain.
func Clean() {
	built.Lock()
	defer built.Unlock()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
		built.path = ""
	}
}

// Modules is the node_modules directory with npm's @agoric/xsnap. The test is
// skipped if it is not there.
func Modules(t testing.TB) string {
	t.Helper()
	return genuine(t, "node_modules")
}

// Genuine is the worker of npm's @agoric/xsnap. The test is skipped if it is not
// there.
func Genuine(t testing.TB) string {
	t.Helper()
	return genuine(t, "xsnap-worker")
}

func genuine(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(Root(), ".cache", "xsnap")
	if _, err := os.Stat(filepath.Join(dir, "complete")); errors.Is(err, fs.ErrNotExist) {
		t.Skip("npm's @agoric/xsnap is not there to compare with: run make xsnap")
	} else if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}
