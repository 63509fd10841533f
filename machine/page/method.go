package page

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
)

// A Method is a way to find the pages that were written to. All of them find
// the same changes; they differ in cost. Which ones a host has is found out by
// trying.
type Method uint8

const (
	Auto    Method = iota // the cheapest that works here
	Async                 // userfaultfd write-protect async and PAGEMAP_SCAN: what was written since the last commit (Linux 6.7)
	Scan                  // PAGEMAP_SCAN: what is no longer shared with the snapshot it started as
	Pagemap               // /proc/self/pagemap: the same, for older kernels
	Compare               // looking at every page
)

var methodNames = map[Method]string{
	Auto: "auto", Async: "userfaultfd", Scan: "pagemap-scan", Pagemap: "pagemap", Compare: "compare",
}

func (m Method) String() string {
	if name, ok := methodNames[m]; ok {
		return name
	}
	return fmt.Sprintf("method(%d)", uint8(m))
}

// all methods, the cheapest first.
var all = []Method{Async, Scan, Pagemap, Compare}

var best struct {
	once   sync.Once
	method Method
}

// Best is the cheapest method that works here.
func Best() Method {
	best.once.Do(func() { best.method = all[slices.IndexFunc(all, works)] })
	return best.method
}

// Methods are those that work here, the cheapest first. Compare always does.
func Methods() []Method {
	return slices.DeleteFunc(slices.Clone(all), func(m Method) bool { return !works(m) })
}

func works(m Method) bool { return m == Compare || available(m) && probe(m) }

// probe tries a method: it writes to a memory, here and there, and looks whether
// that and nothing else is found.
func probe(method Method) bool {
	const pages = 64
	b := NewBuilder(pages * Size)
	for n := 0; n < pages; n += 3 {
		b.Set(n, []byte{Size - 1: 1})
	}
	from, err := b.Snapshot()
	if err != nil {
		return false
	}
	m, err := NewMemory(from, 0, false, method)
	if err != nil {
		return false
	}
	defer m.Release()
	committed := bytes.Clone(m.Bytes())
	for round := range 6 {
		memory := m.Grow(uint64((pages + round*alignment/Size) * Size))
		committed = append(committed, make([]byte, len(memory)-len(committed))...)
		var want []int
		for n := range len(memory) / Size {
			switch page := memory[n*Size : (n+1)*Size]; {
			case n%7 == round:
				page[round]++
				want = append(want, n)
			case n%11 == round:
				copy(page, bytes.Clone(page[:1])) // written, and the same
			case n%5 == round:
				_ = page[9] // read
			}
		}
		if !slices.Equal(m.Changed(), want) || !slices.Equal(m.Changed(), want) {
			return false
		}
		if round%2 == 0 {
			if _, err := m.Commit(); err != nil {
				return false
			}
			copy(committed, memory)
		} else {
			if err := m.Rollback(); err != nil {
				return false
			}
			m.Grow(uint64(len(memory)))
		}
		if !bytes.Equal(memory, committed) || len(m.Changed()) > 0 {
			return false
		}
	}
	return m.method == method
}
