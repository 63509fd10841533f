package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carrel/client/xsnap/xsnaptest"
)

// TestLibrary has npm's library, as it was published, drive Carrel's worker, and
// npm's: testdata/xsnap/library.mjs.
func TestLibrary(t *testing.T) {
	modules := xsnaptest.Modules(t)
	for name, path := range map[string]string{"carrel": xsnaptest.Worker(t), "npm": xsnaptest.Genuine(t)} {
		t.Run(name, func(t *testing.T) {
			node := exec.Command("node", filepath.Join(xsnaptest.Root(), "testdata", "xsnap", "library.mjs"), modules, path,
				filepath.Join(xsnaptest.Root(), ".cache", "programs"))
			said, err := node.CombinedOutput()
			if err != nil || !strings.HasSuffix(string(said), "all is well\n") {
				t.Errorf("%v\n%s", err, said)
			}
			t.Logf("%s", said)
		})
	}
}
