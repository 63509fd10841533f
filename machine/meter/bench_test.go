package meter_test

import (
	"os"
	"testing"

	"carrel/machine/meter"
)

func BenchmarkRewriteFile(b *testing.B) {
	wasm, err := os.ReadFile(os.Getenv("WASM"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(wasm)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := meter.Rewrite(wasm)
		if err != nil {
			b.Fatal(err)
		}
		_ = m
	}
}
