package receipt

import (
	"fmt"
	"testing"
)

// wide is a receipt with n files read.
func wide(n int) *Receipt {
	r := small()
	mount := Mount{Guest: "/data", Kind: MountDir, Mode: ModeRO}
	for i := range n {
		b := NewBlob(fmt.Append(nil, i))
		mount.Observed = append(mount.Observed, Observation{Path: fmt.Sprintf("dir/file%08d", i), Kind: KindFile, Size: b.Size, Digest: b.Digest})
	}
	r.Input.Mounts = []Mount{mount}
	return r
}

func BenchmarkEncode(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		r := wide(n)
		payload := mustEncode(b, r)
		b.Run(fmt.Sprint("files=", n), func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				mustEncode(b, r)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{0, 1000, 100_000} {
		payload := mustEncode(b, wide(n))
		b.Run(fmt.Sprint("files=", n), func(b *testing.B) {
			b.SetBytes(int64(len(payload)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(payload); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
