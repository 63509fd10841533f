package confine_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"carrel/worker/confine"
)

// TestNoDump has a process that forbade it die of what dumps core, and reads its
// limits.
func TestNoDump(t *testing.T) {
	if os.Getenv("CARREL_TEST_NO_DUMP") == "1" {
		if err := confine.NoDump(); err != nil {
			t.Fatal(err)
		}
		limit := unix.Rlimit{Cur: 1}
		if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil || limit.Cur != 0 || limit.Max != 0 {
			t.Fatalf("the limit is %+v, %v", limit, err)
		}
		_ = unix.Kill(unix.Getpid(), unix.SIGABRT)
		select {}
	}
	child := exec.Command(os.Args[0], "-test.run", "^TestNoDump$", "-test.v")
	child.Env = append(os.Environ(), "CARREL_TEST_NO_DUMP=1")
	child.Dir = t.TempDir()
	out, err := child.CombinedOutput()
	if err == nil || strings.Contains(string(out), "the limit is") || strings.Contains(string(out), "core dumped") {
		t.Errorf("%v\n%s", err, out)
	}
	if left, err := os.ReadDir(child.Dir); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
}
