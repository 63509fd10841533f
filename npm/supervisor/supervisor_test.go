package supervisor_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carrel/npm"
	"carrel/npm/npmtest"
	"carrel/npm/supervisor"
)

// TestNode runs the npm package's own tests on a copy with the bundle, which is
// of the package that make programs fetched.
func TestNode(t *testing.T) {
	text := npmtest.Read(t, npmtest.File(t, "supervisor.bundle"))
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(".")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "dist", "supervisor.bundle"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--test", "test")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	b, err := supervisor.Bundle(filepath.Join(dir, "dist"))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := b.ID(); err != nil || id != "b0-"+supervisor.SHA256() {
		t.Errorf("ID %s, %v", id, err)
	}
}

// TestFetch fetches what cannot be had, and what is something else.
func TestFetch(t *testing.T) {
	base := t.TempDir()
	dir := supervisor.Dir(base)
	if _, err := supervisor.File(dir); !errors.Is(err, npm.ErrAbsent) {
		t.Errorf("before: %v", err)
	}
	archive := filepath.Join(t.TempDir(), supervisor.Published.Archive())
	if err := os.WriteFile(archive, []byte("something"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{archive, filepath.Dir(archive)} {
		if err := supervisor.Fetch(context.Background(), dir, from); err == nil || !strings.Contains(err.Error(), "it is not @agoric/swingset-xsnap-supervisor@0.11.0") {
			t.Errorf("from %s: %v", from, err)
		}
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
