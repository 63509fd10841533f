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

// BenchmarkCompareInput compares a directory of n entries that was listed: the
// time for one entry must not grow with n.
func BenchmarkCompareInput(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		r := small()
		dir := Observation{Path: ".", Kind: KindDir, Listed: true}
		for i := range n {
			dir.Entries = append(dir.Entries, Entry{Name: fmt.Sprintf("file%08d", i), Kind: KindFile})
		}
		r.Input.Mounts = []Mount{{Guest: "/data", Kind: MountDir, Mode: ModeRO, Observed: []Observation{dir}}}
		b.Run(fmt.Sprint("entries=", n), func(b *testing.B) {
			b.SetBytes(int64(n))
			for b.Loop() {
				if d := CompareInput(&r.Input, &r.Input); len(d) > 0 {
					b.Fatal(d)
				}
			}
		})
	}
}
