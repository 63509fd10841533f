package page

import (
	"bytes"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Snapshot is the content of a linear memory at one moment. It is immutable
// and safe for concurrent use. Snapshots that come of one another share what
// they have in common: a Snapshot is a base, which a file holds, and over it a
// tree of the pages that differ from the base. Its memory is given back when
// nothing uses it any more.
type Snapshot struct {
	size    int
	base    *base
	top     *node // over the base; nil if nothing differs
	written int   // pages in the tree

	flatten sync.Mutex
	flat    *Snapshot // the same content with nothing over the base, once made
}

// none is the snapshot of a memory of size 0, of which no page is in any file.
var none = &Snapshot{base: &base{}}

// Empty is the snapshot of a memory of size 0.
func Empty() *Snapshot { return none }

// heightMax is the height of the tree over the pages of the largest memory.
const heightMax = levels - 1

// A node of the tree stands for fanOut nodes or, on level 1, pages. Nil stands
// for what the base has. Nodes are never changed once a Snapshot has them.
type node struct {
	below []*node             // above level 1
	pages []*leaf             // on level 1
	hash  atomic.Pointer[sum] // nil until somebody asked
}

// A sum is a hash over so many pages: a node at the end of memory is over more
// when memory has grown.
type sum struct {
	pages int
	hash  Hash
}

type leaf struct {
	content [Size]byte
	hash    atomic.Pointer[Hash]
}

// Bytes is the size of the memory.
func (s *Snapshot) Bytes() uint64 { return uint64(s.size) }

// Pages is the number of pages of the memory.
func (s *Snapshot) Pages() int { return s.size / Size }

// Read copies page n to the start of to, and reports whether it holds anything
// but zeros. A page beyond the end of memory holds zeros.
func (s *Snapshot) Read(n int, to []byte) bool {
	from := s.page(n)
	copy(to[:Size], from)
	s.base.keep()
	return !isZero(from)
}

// Each calls visit with every page that holds anything but zeros, in order,
// until it returns false. The content is only valid during the call.
func (s *Snapshot) Each(visit func(n int, content []byte) bool) {
	defer s.base.keep()
	s.each(s.top, heightMax, 0, visit)
}

func (s *Snapshot) each(at *node, level, index int, visit func(int, []byte) bool) bool {
	first, end := span(level, index, s.Pages())
	if at == nil {
		for n := s.base.next(first); n < end; n = s.base.next(n + 1) {
			if content := s.base.page(n); !isZero(content) && !visit(n, content) {
				return false
			}
		}
		return true
	}
	for i := range fanOut {
		if first+i<<shift(level-1) >= end {
			break
		}
		if level > 1 {
			if !s.each(at.below[i], level-1, index*fanOut+i, visit) {
				return false
			}
			continue
		}
		content := s.base.page(first + i)
		if at.pages[i] != nil {
			content = at.pages[i].content[:]
		}
		if !isZero(content) && !visit(first+i, content) {
			return false
		}
	}
	return true
}

// eachWritten visits the pages that differ from the base, in no order that
// matters.
func (s *Snapshot) eachWritten(visit func(n int, content []byte)) {
	var walk func(at *node, level, index int)
	walk = func(at *node, level, index int) {
		for i := range at.below {
			if at.below[i] != nil {
				walk(at.below[i], level-1, index*fanOut+i)
			}
		}
		for i := range at.pages {
			if n := index*fanOut + i; at.pages[i] != nil && n < s.Pages() {
				visit(n, at.pages[i].content[:])
			}
		}
	}
	if s.top != nil {
		walk(s.top, heightMax, 0)
	}
}

// page is the content of page n. It is valid as long as the snapshot is in use.
func (s *Snapshot) page(n int) []byte {
	at := s.top
	for level := heightMax; at != nil; level-- {
		i := n >> shift(level-1) & (fanOut - 1)
		if level == 1 {
			if at.pages[i] != nil {
				return at.pages[i].content[:]
			}
			break
		}
		at = at.below[i]
	}
	return s.base.page(n)
}

// A Change is a page with another content, which With copies.
type Change struct {
	Page    int
	Content *[Size]byte
}

// With is the snapshot with so many bytes of memory and some pages changed, in
// any order; the last change of a page counts. What is beyond the old size is
// zero; beyond the new one there is nothing. It panics if a change is beyond
// the size, or the size is no multiple of Size or above ReservationBytes.
func (s *Snapshot) With(size uint64, changes []Change) *Snapshot {
	leaves := make([]change, len(changes))
	for i, c := range changes {
		leaves[i] = change{c.Page, &leaf{content: *c.Content}}
	}
	return s.with(int(size), leaves)
}

type change struct {
	page int
	leaf *leaf
}

func (s *Snapshot) with(size int, changes []change) *Snapshot {
	if size%Size != 0 || size > ReservationBytes {
		panic(fmt.Sprintf("page: a memory of %d bytes", size))
	}
	next := &Snapshot{size: size, base: s.base, top: s.top, written: s.written}
	if size < s.size { // what was beyond the end must not come back when it grows
		for n := size / Size; n < s.Pages(); n++ {
			if !isZero(s.page(n)) {
				changes = append(changes[:len(changes):len(changes)], change{n, &leaf{}})
			}
		}
	}
	fresh := map[*node]bool{}
	for _, c := range changes {
		if c.page < 0 || c.page >= max(size, s.size)/Size {
			panic(fmt.Sprintf("page: page %d of a memory of %d bytes", c.page, size))
		}
		next.top = next.set(next.top, heightMax, c, fresh)
	}
	return next
}

// set makes a node with a page changed: a new one, unless it is new already.
func (s *Snapshot) set(at *node, level int, c change, fresh map[*node]bool) *node {
	if at == nil || !fresh[at] {
		made := new(node)
		if at != nil {
			made.below, made.pages = append(made.below, at.below...), append(made.pages, at.pages...)
		} else if level == 1 {
			made.pages = make([]*leaf, fanOut)
		} else {
			made.below = make([]*node, fanOut)
		}
		at, fresh[made] = made, true
	}
	i := c.page >> shift(level-1) & (fanOut - 1)
	if level > 1 {
		at.below[i] = s.set(at.below[i], level-1, c, fresh)
		return at
	}
	if at.pages[i] == nil {
		s.written++
	}
	at.pages[i] = c.leaf
	return at
}

// Diff calls visit with every page that differs, in order, until it returns
// false. A page that one of them does not have counts as zeros. The contents are
// only valid during the call. The cost follows what differs if one snapshot came
// of the other, and the size of memory otherwise.
func Diff(a, b *Snapshot, visit func(n int, before, after []byte) bool) {
	defer a.base.keep()
	defer b.base.keep()
	diff(a, b, a.top, b.top, heightMax, 0, visit)
}

func diff(a, b *Snapshot, at, bt *node, level, index int, visit func(int, []byte, []byte) bool) bool {
	if at == bt && a.base == b.base {
		return true
	}
	first, end := span(level, index, max(a.Pages(), b.Pages()))
	if first >= end {
		return true
	}
	if level > 1 && !(at == nil && bt == nil) {
		for i := range fanOut {
			if !diff(a, b, at.child(i), bt.child(i), level-1, index*fanOut+i, visit) {
				return false
			}
		}
		return true
	}
	for n := first; n < end; n++ {
		if at == nil && bt == nil { // both are in their bases
			if n = min(a.base.next(n), b.base.next(n)); n >= end {
				break
			}
		}
		before, after := a.page(n), b.page(n)
		if !bytes.Equal(before, after) && !visit(n, before, after) {
			return false
		}
	}
	return true
}

func (n *node) child(i int) *node {
	if n == nil {
		return nil
	}
	return n.below[i]
}

// Hash is the hash of the tree over the pages, as the root of an image has it.
// It is computed where nobody asked before, and kept.
func (s *Snapshot) Hash() Hash {
	defer s.base.keep()
	pages := s.Pages()
	if pages == 0 {
		return emptyTree
	}
	height, top := heightMax, s.top
	for height > 0 && pages <= 1<<shift(height-1) {
		height--
		if height > 0 {
			top = top.child(0)
		}
	}
	if height == 0 {
		return leafHash(s.page(0))
	}
	return s.hash(top, height, 0)
}

func (s *Snapshot) hash(at *node, level, index int) Hash {
	first, end := span(level, index, s.Pages())
	full := end-first == 1<<shift(level)
	if at == nil && full {
		if h, ok := s.base.hash(level, index); ok {
			return h
		}
	}
	if at != nil {
		if known := at.hash.Load(); known != nil && known.pages == end-first {
			return known.hash
		}
	}
	var below [fanOut]Hash
	n := 0
	for ; n < fanOut && first+n<<shift(level-1) < end; n++ {
		switch {
		case level > 1:
			below[n] = s.hash(at.child(n), level-1, index*fanOut+n)
		case at != nil && at.pages[n] != nil:
			below[n] = at.pages[n].sum()
		default:
			below[n], _ = s.base.hash(0, first+n)
		}
	}
	h := nodeHash(below[:n], level)
	if at != nil {
		at.hash.Store(&sum{end - first, h})
	}
	return h
}

func (l *leaf) sum() Hash {
	if h := l.hash.Load(); h != nil {
		return *h
	}
	h := leafHash(l.content[:])
	l.hash.Store(&h)
	return h
}

// Flat is the snapshot with all of its content in one file, which new memories
// can be mapped from. It is made once. Errors: ErrNoMemory.
func (s *Snapshot) Flat() (*Snapshot, error) {
	if s.top == nil {
		return s, nil
	}
	s.flatten.Lock()
	defer s.flatten.Unlock()
	if s.flat != nil {
		return s.flat, nil
	}
	b := NewBuilder(uint64(s.size))
	s.Each(func(n int, content []byte) bool { b.Set(n, content); return true })
	var err error
	s.flat, err = b.Snapshot()
	return s.flat, err
}

// A Builder makes a snapshot page by page. It is used by one goroutine.
type Builder struct {
	size int
	base *base
	err  error
}

// NewBuilder begins a snapshot of so many bytes, all zero.
func NewBuilder(size uint64) *Builder {
	if size%Size != 0 || size > ReservationBytes {
		panic(fmt.Sprintf("page: a memory of %d bytes", size))
	}
	b := &Builder{size: int(size)}
	b.base, b.err = newBase(int(size))
	return b
}

// Set sets the content of whole pages from page n on, once for each page.
func (b *Builder) Set(n int, content []byte) {
	for first := 0; first < len(content); {
		end := first
		for end < len(content) && !isZero(content[end:end+Size]) {
			end += Size
		}
		if end > first {
			b.setRun(n+first/Size, content[first:end])
		}
		first = end + Size // which is zero, or beyond
	}
}

// setRun sets the content of pages next to one another, from page n on, none of
// which is zero.
func (b *Builder) setRun(n int, content []byte) {
	if b.err == nil {
		b.err = b.base.write(n, content)
	}
}

// Snapshot ends the building. The builder is not used any more. Errors:
// ErrNoMemory.
func (b *Builder) Snapshot() (*Snapshot, error) {
	if b.err == nil {
		b.err = b.base.seal()
	}
	if b.err != nil {
		b.Discard()
		return nil, fmt.Errorf("make a snapshot of %d bytes: %w: %w", b.size, ErrNoMemory, b.err)
	}
	return &Snapshot{size: b.size, base: b.base}, nil
}

// Discard gives back what a builder took that makes no snapshot. It is not used
// any more.
func (b *Builder) Discard() {
	b.base.file.close()
	b.base = nil
}

// OpenSnapshot makes a snapshot of size bytes of a file that holds its pages
// from the first on; what the file is shorter than that, and its holes, are
// zeros. The descriptor is the snapshot's from now on, whatever the error.
// Nothing is read: the content is what the file has when it is asked for, and
// must not change.
func OpenSnapshot(fd int, size uint64) (*Snapshot, error) {
	f := file{fd: fd}
	s, err := openSnapshot(&f, int(size))
	if err != nil {
		f.close()
		return nil, fmt.Errorf("map a snapshot: %w", err)
	}
	return s, nil
}

func openSnapshot(f *file, size int) (*Snapshot, error) {
	var info unix.Stat_t
	if err := unix.Fstat(f.fd, &info); err != nil {
		return nil, err
	}
	if size%Size != 0 || size > ReservationBytes || info.Size > int64(size) || info.Size%alignment != 0 {
		return nil, fmt.Errorf("a file of %d bytes is not one of a memory of %d", info.Size, size)
	}
	b := &base{size: size, extent: int(info.Size), set: make([]uint64, (size/Size+63)/64)}
	err := f.data(b.extent, func(start, end int) {
		for n := start / Size; n*Size < end; n++ {
			b.set[n/64] |= 1 << (n % 64)
		}
	})
	if err == nil {
		err = f.view(b.extent)
	}
	if err != nil {
		return nil, err
	}
	b.own(*f)
	return &Snapshot{size: size, base: b}, nil
}

// span is which pages, of so many, a node of the tree is over.
func span(level, index, pages int) (first, end int) {
	return min(index<<shift(level), pages), min((index+1)<<shift(level), pages)
}

// shift is the logarithm of how many pages a node of a level is over.
func shift(level int) int { return level * bits.TrailingZeros(fanOut) }

func isZero(content []byte) bool { return bytes.Equal(content, zero[:]) }
