package page

import (
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// plainRoot is the definition of a root without any short cut.
func plainRoot(memory []byte, globals []uint64, host []byte) Hash {
	tree := plainTree(memory)
	var bits []byte
	for _, g := range globals {
		for i := range 8 {
			bits = append(bits, byte(g>>(8*i)))
		}
	}
	b := []byte{2}
	for i := range 8 {
		b = append(b, byte(uint64(len(memory))>>(8*i)))
	}
	g, h := sha256.Sum256(bits), sha256.Sum256(host)
	b = append(append(append(b, tree[:]...), g[:]...), h[:]...)
	return sha256.Sum256(b)
}

func plainTree(memory []byte) Hash {
	var nodes []Hash
	for at := 0; at < len(memory); at += Size {
		nodes = append(nodes, sha256.Sum256(append([]byte{0}, memory[at:at+Size]...)))
	}
	tree := sha256.Sum256(nil)
	for len(nodes) > 1 {
		var above []Hash
		for at := 0; at < len(nodes); at += 16 {
			b := []byte{1}
			for _, n := range nodes[at:min(at+16, len(nodes))] {
				b = append(b, n[:]...)
			}
			above = append(above, sha256.Sum256(b))
		}
		nodes = above
	}
	if len(nodes) == 1 {
		tree = nodes[0]
	}
	return tree
}

func TestRootIsWhatItsDefinitionSays(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, pages := range []int{0, 16, 32, 256, 272, 4096, 4112} {
		m, err := NewMemory(nil, 0, false, Auto)
		if err != nil {
			t.Fatal(err)
		}
		memory := m.Grow(uint64(pages * Size))
		for range pages / 5 {
			at := random.IntN(len(memory) - 8)
			memory[at] = byte(random.Uint32())
		}
		globals := []uint64{random.Uint64(), 7}
		if got, want := Root(uint64(len(memory)), m.Hash(), globals, []byte("host")), plainRoot(memory, globals, []byte("host")); got != want {
			t.Errorf("%d pages: root %x, want %x", pages, got, want)
		}
		m.Release()
	}
}

// rootOf is the root of an image with some memory.
func rootOf(memory []byte, globals []uint64, host []byte) Hash {
	return Root(uint64(len(memory)), treeHash(memory), globals, host)
}

func TestRootTellsImagesApart(t *testing.T) {
	memory := make([]byte, 64*Size)
	seen := map[Hash]string{rootOf(memory, nil, nil): "zeros"}
	add := func(name string, root Hash) {
		if other, ok := seen[root]; ok {
			t.Errorf("%s has the root of %s", name, other)
		}
		seen[root] = name
	}
	add("shorter", rootOf(memory[:32*Size], nil, nil))
	add("none", rootOf(nil, nil, nil))
	add("global", rootOf(memory, []uint64{0}, nil))
	add("globals", rootOf(memory, []uint64{0, 0}, nil))
	add("host", rootOf(memory, nil, []byte{0}))
	for _, at := range []int{0, Size - 1, Size, 17 * Size, len(memory) - 1} {
		memory[at] = 1
		add("a byte", rootOf(memory, nil, nil))
		memory[at] = 0
	}
}

func TestRootGolden(t *testing.T) {
	memory := make([]byte, 16*Size)
	copy(memory, "Carrel")
	root := rootOf(memory, []uint64{1048576}, nil)
	const want = "4bbc05ac2c10298f22db750b722588d54286033af018dd90cb584ab970340418"
	if got := hex.EncodeToString(root[:]); got != want {
		t.Errorf("root %s, want %s", got, want)
	}
}
