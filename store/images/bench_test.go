package images

import (
	"testing"

	"carrel/machine/image"
	"carrel/machine/page"
)

// half is an image of 64 MiB: 256 KiB of easy pages, 256 KiB of zeros, and so on.
func half(t testing.TB) *image.Image {
	t.Helper()
	b := page.NewBuilder(64 << 20)
	var content [page.Size]byte
	for n := range 64 << 20 / page.Size {
		if n/64%2 == 1 {
			continue
		}
		for i := range content {
			content[i] = byte(i * n >> 6)
		}
		b.Set(n, content[:])
	}
	memory, err := b.Snapshot()
	must(t, err)
	return &image.Image{Memory: memory, Globals: []uint64{1}}
}

func BenchmarkGet(b *testing.B) {
	s := store(b)
	root, err := s.Put(half(b), label)
	must(b, err)
	for b.Loop() {
		_, _, err := s.Get(root)
		must(b, err)
	}
}

func BenchmarkMap(b *testing.B) {
	s := store(b)
	root, err := s.Put(half(b), label)
	must(b, err)
	_, _, err = s.Map(root)
	must(b, err)
	b.Run("first answer", func(b *testing.B) {
		for b.Loop() {
			_, _, err := s.Map(root)
			must(b, err)
		}
	})
	b.Run("verified", func(b *testing.B) {
		for b.Loop() {
			img, _, err := s.Map(root)
			must(b, err)
			must(b, img.Verify())
		}
	})
}

func BenchmarkPutAfter(b *testing.B) {
	s := store(b)
	before := half(b)
	_, err := s.Put(before, label)
	must(b, err)
	for n := 0; b.Loop(); n++ {
		content := [page.Size]byte{byte(n), byte(n >> 8), byte(n >> 16), 1}
		img := &image.Image{Memory: before.Memory.With(64<<20, []page.Change{{Page: n % 1000, Content: &content}}), Globals: before.Globals}
		_, err := s.PutAfter(img, label, before)
		must(b, err)
	}
}
