package lockdown_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"carrel/npm/lockdown"
	"carrel/npm/npmtest"
)

// TestNode runs the npm package's own tests on a copy with its bundles.
func TestNode(t *testing.T) {
	made, err := lockdown.Make(context.Background(), t.TempDir(), npmtest.Archives(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "package")
	for _, part := range []string{"src", "lib", "dist", "test"} {
		if err := os.CopyFS(filepath.Join(dir, part), os.DirFS(part)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile("package.json")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "package.json"), text, 0o644)
	}
	for v, text := range made {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "dist", string(v)), text, 0o644)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "--test", "test")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
}
