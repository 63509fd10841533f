package page

import (
	"bytes"
	"fmt"
	"slices"
	"unsafe"
)

const (
	// copyPagesMax is how many pages over its base a snapshot may have to be
	// mapped and copied for a new memory; with more, it is made flat first.
	copyPagesMax = 256
	// layerPagesMax is how many pages over its base a committed snapshot may
	// have, if they are not the smaller part of it: beyond, it is made flat.
	layerPagesMax = 1024
)

// A Memory is a linear memory that an instance runs in. It starts as a snapshot,
// knows which pages were changed since, and can be committed, which makes a new
// snapshot, or rolled back. It never moves. It is used by one goroutine at a
// time.
type Memory struct {
	reserved *Reservation
	size     int
	from     *Snapshot // what was committed last; nil is no pages but zeros
	method   Method    // Auto until it is needed
	mapped   bool      // from a file: what was never written to may still not be zero
	armed    bool      // the kernel notes what is written (Async)
	noted    []int     // pages that it has noted and that have been asked for (Async)
}

// NewMemory makes a memory of size bytes that starts as a snapshot, or as nothing
// but zeros if it is nil; a larger snapshot makes a larger memory. What is beyond
// the size of a guarded one cannot be read: see Reserve. Errors: ErrNoMemory.
func NewMemory(from *Snapshot, size uint64, guarded bool, method Method) (*Memory, error) {
	reserved, err := Reserve(guarded)
	if err != nil {
		return nil, err
	}
	if from != nil {
		size = max(size, from.Bytes())
	}
	m := &Memory{reserved: reserved, size: int(size), method: method, from: from}
	if reserved.Sized(size) == nil {
		err = fmt.Errorf("no memory of %d bytes", size)
	} else if from != nil {
		err = m.load()
	}
	if err != nil {
		m.Release()
		return nil, fmt.Errorf("make a memory: %w: %w", ErrNoMemory, err)
	}
	return m, nil
}

func (m *Memory) load() (err error) {
	if m.from.written > copyPagesMax {
		if m.from, err = m.from.Flat(); err != nil {
			return err
		}
	}
	// The base may be larger than the snapshot.
	if extent := min(m.from.base.extent, m.from.size); extent > 0 {
		m.mapped = true
		if err := m.from.base.file.mapInto(m.reserved.bytes[:extent]); err != nil {
			return err
		}
	}
	m.arm()
	m.from.eachWritten(func(n int, content []byte) { copy(m.page(n), content) })
	return nil
}

// arm begins to note what is written, if that is the method.
func (m *Memory) arm() {
	if m.method == Auto {
		m.method = Best()
	}
	m.armed = m.method == Async && arm(m.reserved.bytes[:ReservationBytes], m.Bytes())
}

// Grow makes the memory larger, with zeros, and gives it; nil if the host cannot.
// A smaller size changes nothing.
func (m *Memory) Grow(size uint64) []byte {
	if size > uint64(m.size) {
		if m.reserved.Sized(size) == nil {
			return nil
		}
		m.size = int(size)
	}
	return m.Bytes()
}

// Base is where the memory is, at any size. It does not move until Release.
func (m *Memory) Base() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(m.reserved.bytes)) }

// Bytes is the memory at its present size. It is valid until Release.
func (m *Memory) Bytes() []byte { return m.reserved.bytes[:m.size:m.size] }

func (m *Memory) page(n int) []byte { return m.reserved.bytes[n*Size : (n+1)*Size] }

// Changed lists the pages that differ from what was committed last, in order;
// one beyond its size from zeros.
func (m *Memory) Changed() []int {
	var changed []int
	if m.from == nil {
		m.visit(func(n int, content []byte) {
			if !isZero(content) {
				changed = append(changed, n)
			}
		})
		return changed
	}
	defer m.from.base.keep()
	m.visit(func(n int, content []byte) {
		if !bytes.Equal(content, m.from.page(n)) {
			changed = append(changed, n)
		}
	})
	if m.armed {
		m.noted = changed
	}
	return changed
}

// visit visits all pages that may have changed since the last commit, in order.
func (m *Memory) visit(visit func(n int, content []byte)) {
	each := func(part []byte) {
		for n := m.index(part); len(part) >= Size; part, n = part[Size:], n+1 {
			visit(n, part[:Size])
		}
	}
	if m.armed {
		pages := slices.Clone(m.noted)
		if scan(m.Bytes(), func(first, end int) {
			for n := first; n < end; n++ {
				pages = append(pages, n)
			}
		}) {
			slices.Sort(pages)
			for _, n := range slices.Compact(pages) {
				visit(n, m.page(n))
			}
			return
		}
		m.armed, m.method = false, Compare // what was noted is lost: look at everything
	}
	if m.size > lookBytesMax && m.method != Compare {
		var parts [][]byte
		if written(m.Bytes(), m.method, func(part []byte) { parts = append(parts, part) }) {
			for _, part := range parts {
				each(part)
			}
			return
		}
		m.method = Compare // it does not work here, or no longer
	}
	each(m.Bytes())
}

// index is the page that a part of the memory, which reaches up to its end of
// capacity, begins with.
func (m *Memory) index(part []byte) int { return (m.size - cap(part)) / Size }

// Commit makes a snapshot of the memory as it is, from which it goes on.
// Errors: ErrNoMemory; nothing is committed then.
func (m *Memory) Commit() (*Snapshot, error) { return m.CommitChanged(m.Changed()) }

// CommitChanged is Commit for who has just asked what is Changed.
func (m *Memory) CommitChanged(changed []int) (*Snapshot, error) {
	next, err := m.snapshot(changed)
	if err != nil {
		return nil, err
	}
	m.from, m.noted = next, nil
	if !m.armed {
		m.arm()
	}
	return next, nil
}

func (m *Memory) snapshot(changed []int) (*Snapshot, error) {
	if m.from == nil {
		b := NewBuilder(uint64(m.size))
		for len(changed) > 0 { // as few writes as there are runs of pages
			n := 1
			for n < len(changed) && changed[n] == changed[n-1]+1 {
				n++
			}
			b.setRun(changed[0], m.reserved.bytes[changed[0]*Size:(changed[n-1]+1)*Size])
			changed = changed[n:]
		}
		return b.Snapshot()
	}
	next := m.layered(changed)
	if next.written > max(layerPagesMax, next.base.extent/Size/2) {
		return next.Flat()
	}
	return next, nil
}

// layered is a snapshot of the memory over the one that was committed last.
func (m *Memory) layered(changed []int) *Snapshot {
	if len(changed) == 0 && m.size == m.from.size {
		return m.from
	}
	changes := make([]change, len(changed))
	leaves := make([]leaf, len(changed))
	for i, n := range changed {
		copy(leaves[i].content[:], m.page(n))
		changes[i] = change{n, &leaves[i]}
	}
	return m.from.with(m.size, changes)
}

// Hash is the hash of the tree over the memory as it is: what the snapshot's
// would be.
func (m *Memory) Hash() Hash {
	if m.from == nil {
		return treeHash(m.Bytes())
	}
	return m.layered(m.Changed()).Hash()
}

// Rollback makes the memory what was committed last, or zeros of size 0. Errors:
// ErrNoMemory; the memory is only good for Release then.
func (m *Memory) Rollback() error {
	size := 0
	if m.from != nil {
		size = m.from.size
		defer m.from.base.keep()
	}
	m.visit(func(n int, content []byte) {
		before := zero[:]
		if m.from != nil {
			before = m.from.page(n)
		}
		if !bytes.Equal(content, before) {
			copy(content, before)
		}
	})
	m.noted, m.size = nil, size
	if !m.reserved.Shrink(uint64(size)) {
		return fmt.Errorf("shrink a memory: %w", ErrNoMemory)
	}
	return nil
}

// Release gives the memory back. Nothing of it may be used any more.
func (m *Memory) Release() {
	if m.reserved == nil {
		return
	}
	if m.mapped || m.armed {
		m.reserved.Drop()
	} else {
		m.reserved.Release()
	}
	m.reserved, m.from = nil, nil
}
