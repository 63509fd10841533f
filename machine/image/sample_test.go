package image

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"testing"

	"carrel/machine/page"
	"carrel/program/seal"
)

var update = flag.Bool("update", false, "write golden files")

var sampleLabel = Label{MachineVersion: 1, Program: seal.Sum([]byte("a program")), Guest: "posix", GuestVersion: 1}

// imageOf is an image with memory of these bytes.
func imageOf(t testing.TB, memory []byte, globals []uint64, host []byte) *Image {
	t.Helper()
	i := &Image{Globals: globals, Host: host}
	if len(memory) == 0 {
		return i
	}
	b := page.NewBuilder(uint64(len(memory)))
	for n := range len(memory) / page.Size {
		b.Set(n, memory[n*page.Size:(n+1)*page.Size])
	}
	var err error
	if i.Memory, err = b.Snapshot(); err != nil {
		t.Fatal(err)
	}
	return i
}

// bytesOf is all of the memory of an image.
func bytesOf(i *Image) []byte {
	memory := make([]byte, i.memory().Bytes())
	i.memory().Each(func(n int, content []byte) bool {
		copy(memory[n*page.Size:], content)
		return true
	})
	return memory
}

// samples are memories of all kinds.
func samples() map[string][]byte {
	random := rand.New(rand.NewPCG(3, 4))
	some := func(units int, every int) []byte {
		memory := make([]byte, units*memoryUnit)
		for at := random.IntN(every); at < len(memory); at += 1 + random.IntN(2*every) {
			memory[at] = byte(random.Uint32())
		}
		return memory
	}
	last := make([]byte, 300*memoryUnit)
	last[len(last)-1] = 9
	return map[string][]byte{
		"none":         nil,
		"zeros":        make([]byte, 3*memoryUnit),
		"last byte":    last,
		"one unit":     some(1, 4000),
		"sparse":       some(250, 900_000),
		"odd":          some(37, 30_000),
		"dense":        some(17, 1),
		"some of each": append(append(some(5, 2), make([]byte, 40*memoryUnit)...), some(3, 500)...),
	}
}

func encode(t testing.TB, i *Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, i, &sampleLabel); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// small is an image whose file is small enough to try everything on, and one that
// came of it.
func small(t testing.TB) (before, after *Image) {
	memory := make([]byte, 2*memoryUnit)
	copy(memory, "Carrel")
	memory[len(memory)-1] = 1
	before = imageOf(t, memory, []uint64{1 << 20, 7}, []byte("\xa1\x61n\x01"))
	var first, last [page.Size]byte
	copy(first[:], "Caramel")
	last[0] = 3
	grown := before.Memory.With(3*memoryUnit, []page.Change{{Page: 0, Content: &first}, {Page: 40, Content: &last}, {Page: 31, Content: &last}})
	return before, &Image{Memory: grown, Globals: []uint64{1<<20 - 16, 7}, Host: []byte("\xa1\x61n\x02")}
}
