package page

import (
	"fmt"
	"testing"
)

// BenchmarkTurn is what a turn costs that changes so many pages: finding them,
// comparing, hashing; and what it costs to take them back.
func BenchmarkTurn(b *testing.B) {
	for _, mib := range []int{1, 64, 256} {
		s := snapshotOf(b, mib*256, func(n int) byte { return byte(n)%255 + 1 })
		s.Hash()
		for _, pages := range []int{1, 16, 128, 1024} {
			if pages > mib*256/2 {
				continue
			}
			write := func(m *Memory, round int) {
				for n := range pages {
					m.Bytes()[n*(mib*256/pages)*Size+8] = byte(round)
				}
			}
			b.Run(fmt.Sprintf("commit/%dMiB/%d", mib, pages), func(b *testing.B) {
				m := memoryOf(b, s)
				for round := 0; b.Loop(); round++ {
					write(m, round)
					next, err := m.Commit()
					if err != nil {
						b.Fatal(err)
					}
					next.Hash()
				}
			})
			b.Run(fmt.Sprintf("rollback/%dMiB/%d", mib, pages), func(b *testing.B) {
				m := memoryOf(b, s)
				for b.Loop() {
					write(m, 77)
					if err := m.Rollback(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("new/%dMiB", mib), func(b *testing.B) {
			for b.Loop() {
				m, err := NewMemory(s, 0, false, Auto)
				if err != nil {
					b.Fatal(err)
				}
				m.Bytes()[5]++
				m.Release()
			}
		})
	}
}

func BenchmarkProbe(b *testing.B) {
	for b.Loop() {
		probe(Async)
	}
}
