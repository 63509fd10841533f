package image

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"carrel/machine/page"
)

// heap is memory as a language's heap is: words that are small or point to one
// another, texts, and zeros.
func heap(mib int) []byte {
	random := rand.New(rand.NewPCG(7, 8))
	memory := make([]byte, mib<<20)
	for at := 0; at < len(memory)-64; {
		switch random.IntN(4) {
		case 0:
			at += random.IntN(64)
		case 1:
			at += copy(memory[at:], "function () { return this.value }"[random.IntN(30):])
		default:
			for range random.IntN(6) {
				memory[at], memory[at+1], memory[at+2] = byte(random.Uint32())&^7, byte(random.IntN(64)), byte(random.IntN(4))
				memory[at+4] = byte(random.IntN(8))
				at += 8
			}
		}
	}
	return memory
}

// BenchmarkDelta is what a turn pays, beyond its root, that changes so many
// pages, 24 bytes in each.
func BenchmarkDelta(b *testing.B) {
	memory := heap(64)
	before := imageOf(b, memory, []uint64{1 << 20}, make([]byte, 100))
	before.Root()
	for _, pages := range []int{1, 16, 128, 1024} {
		var changes []page.Change
		for k := range pages {
			n := k * (len(memory) / page.Size / pages)
			content := (*[page.Size]byte)(bytes.Clone(memory[n*page.Size : (n+1)*page.Size]))
			for at := 100; at < page.Size; at += 170 {
				content[at]++
			}
			changes = append(changes, page.Change{Page: n, Content: content})
		}
		after := &Image{Memory: before.Memory.With(uint64(len(memory)), changes), Globals: before.Globals, Host: before.Host}
		after.Root()
		data := deltaBytes(b, before, after)
		b.Run(fmt.Sprintf("make/%d", pages), func(b *testing.B) {
			b.ReportAllocs()
			var out []byte
			for b.Loop() {
				d, err := Diff(before, after)
				if err != nil {
					b.Fatal(err)
				}
				out = d.Append(out[:0])
			}
			b.ReportMetric(float64(len(data)), "bytes")
		})
		b.Run(fmt.Sprintf("read/%d", pages), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadDelta(data, Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("apply/%d", pages), func(b *testing.B) {
			b.ReportAllocs()
			d, err := ReadDelta(data, Limits{})
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := d.Apply(before); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFile(b *testing.B) {
	for _, mib := range []int{1, 64} {
		memory := heap(mib)
		i := imageOf(b, memory, []uint64{1 << 20}, nil)
		i.Root()
		file := encode(b, i)
		b.Run(fmt.Sprintf("write/%dMiB", mib), func(b *testing.B) {
			b.SetBytes(int64(len(memory)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, i, &sampleLabel); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(memory))/float64(len(file)), "ratio")
		})
		b.Run(fmt.Sprintf("read/%dMiB", mib), func(b *testing.B) {
			b.SetBytes(int64(len(memory)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Read(bytes.NewReader(file), Limits{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
