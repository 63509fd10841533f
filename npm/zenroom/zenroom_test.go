package zenroom_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/machine/engines"
	"carrel/npm"
	"carrel/npm/npmtest"
	"carrel/npm/zenroom"
)

// TestFind finds versions by their numbers, the environment, or neither.
func TestFind(t *testing.T) {
	t.Setenv(zenroom.Variable, "")
	for _, c := range []struct{ number, env, want string }{
		{"", "", zenroom.Published.Version}, {"5.36.1", "", "5.36.1"}, {"", "5.31.2", "5.31.2"}, {"5.36.1", "5.31.2", "5.36.1"}, {"4.0.0", "", ""}, {"", "latest", ""},
	} {
		t.Setenv(zenroom.Variable, c.env)
		v, err := zenroom.Find(c.number)
		if v.Version != c.want || (err == nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), "there are 5.38.1, 5.36.1, 5.31.2") {
			t.Errorf("%q, %q: %v, %v", c.number, c.env, v, err)
		}
	}
}

// TestOpen opens the engine where it is, and says what is wrong with one that is not it.
func TestOpen(t *testing.T) {
	t.Setenv(zenroom.Variable, "")
	on, err := engines.Open("interpreter")
	if err != nil {
		t.Fatal(err)
	}
	defer on.Close()
	tools := t.TempDir()
	host := zenroom.Host{Tools: tools, Code: t.TempDir(), Engine: on, Say: func(text string) { t.Error(text) }}
	dir := zenroom.Published.Dir(tools)
	file := filepath.Join(dir, zenroom.FileName)
	if _, err := zenroom.Published.File(dir); !errors.Is(err, npm.ErrAbsent) {
		t.Errorf("where it is not: %v", err)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(file, []byte("another"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := zenroom.Open(context.Background(), host); err == nil || !strings.Contains(err.Error(), zenroom.FileName) {
		t.Errorf("of another file: %v", err)
	}
	if err := errors.Join(os.Remove(file), os.Symlink(npmtest.File(t, zenroom.FileName), file)); err != nil {
		t.Fatal(err)
	}
	loaded, err := zenroom.Open(context.Background(), host)
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Version != zenroom.Published || len(loaded.Wasm) != 2_549_626 {
		t.Errorf("%v, %d bytes", loaded.Version, len(loaded.Wasm))
	}
	if err := loaded.Close(); err != nil {
		t.Error(err)
	}
}
