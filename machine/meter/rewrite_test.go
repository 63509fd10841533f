package meter_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"carrel/machine/meter"
)

func TestScratch(t *testing.T) {
	files, _ := filepath.Glob(os.Getenv("WASM"))
	for _, f := range files {
		b, _ := os.ReadFile(f)
		m, err := meter.Rewrite(b)
		if err != nil {
			t.Log(f, err)
			continue
		}
		out := filepath.Join(t.TempDir(), "m.wasm")
		os.WriteFile(out, m.Wasm, 0o644)
		os.WriteFile("/tmp/gen/last.wasm", m.Wasm, 0o644)
		if o, err := exec.Command("wasm-validate", out).CombinedOutput(); err != nil {
			t.Errorf("%s: %s", f, o[:min(len(o), 400)])
		}
	}
}
