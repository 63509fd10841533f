package main

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLockdown fetches the bundles of the packages that make programs fetched,
// writes them, and finds out when they are changed.
func TestLockdown(t *testing.T) {
	packages, err := filepath.Abs("../../.cache/programs/npm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(packages); err != nil {
		t.Fatalf("Endo's packages are not there: run make programs (%v)", err)
	}
	t.Setenv("CARREL_HOME", t.TempDir())
	does := func(want int, line string) (stdout, stderr string) {
		t.Helper()
		stdout, stderr, code := carrel(nil, strings.Fields(line)...)
		if code != want {
			t.Fatalf("carrel %s: exit code %d, want %d\n%.300s%s", line, code, want, stdout, stderr)
		}
		return stdout, stderr
	}
	does(0, "guest fetch lockdown --from "+packages)
	t.Setenv("PATH", t.TempDir()) // from here on without npm
	out, _ := does(0, "guest fetch lockdown")
	dir, found := strings.CutPrefix(strings.TrimSpace(out), "lockdown is there: ")
	if !found {
		t.Fatalf("fetched twice: %s", out)
	}
	file := filepath.Join(t.TempDir(), "file")
	for _, flag := range []string{"", " --debug", " --inspector"} {
		bundle, _ := does(0, "lockdown"+flag)
		hash, _ := does(0, "lockdown --sha256"+flag)
		sum := sha256.Sum256([]byte(bundle))
		if hex.EncodeToString(sum[:])+"\n" != hash {
			t.Errorf("lockdown%s: its SHA-256 is %x, and not %s", flag, sum, hash)
		}
		does(0, "lockdown"+flag+" -o "+file)
		if written, err := os.ReadFile(file); err != nil || string(written) != bundle {
			t.Errorf("lockdown%s -o: something else, %v", flag, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "lockdown.bundle"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, stderr := does(125, "lockdown"); !strings.Contains(stderr, "lockdown.bundle has been changed: its SHA-256 is 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a, not ") {
		t.Errorf("changed: %s", stderr)
	}
	if _, stderr := does(125, "guest fetch lockdown --from "+packages); !strings.Contains(stderr, "delete its directory, and it is fetched again") {
		t.Errorf("changed, and fetched: %s", stderr)
	}
}
