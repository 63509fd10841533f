package image

import (
	"crypto/sha256"
	"sync"
	"testing"

	"carrel/machine/page"
)

func TestRoot(t *testing.T) {
	globals, host := []uint64{1, 2}, []byte("host")
	nothing := page.Root(0, sha256.Sum256(nil), globals, host)
	if got := (&Image{Globals: globals, Host: host}).Root(); got != nothing {
		t.Errorf("root without memory %x, want %x", got, nothing)
	}
	if got := (&Image{Memory: page.Empty(), Globals: globals, Host: host}).Root(); got != nothing {
		t.Errorf("root with memory of size 0 %x, want %x", got, nothing)
	}
	i := &Image{}
	const want = "sha256:522657269d8466dd2580bbc14d75770a727be2d66514bddb2430b8a65b54f695"
	if got := i.RootString(); got != want {
		t.Errorf("root of nothing %s, want %s", got, want)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if i.Root() != i.Root() {
				t.Error("two roots")
			}
		})
	}
	all.Wait()
}

func TestEmptyGrows(t *testing.T) {
	var content [page.Size]byte
	content[5] = 7
	grown := page.Empty().With(1<<16, []page.Change{{Page: 3, Content: &content}})
	b := page.NewBuilder(1 << 16)
	b.Set(3, content[:])
	built, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if grown.Hash() != built.Hash() {
		t.Error("a page over nothing is not the page built")
	}
}
