package page

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
)

// A base holds the pages of a snapshot in a file that nobody can change any
// more, and that memories are mapped from.
type base struct {
	size   int      // of the memory
	extent int      // how much of it is in the file: a multiple of alignment; beyond it all is zero
	set    []uint64 // a bit for every page up to extent that may hold anything but zeros
	file   file

	once   sync.Once
	levels [][]Hash // of whole nodes, from the pages up
}

// alignment is of the part of a memory that is mapped from a file: a page of
// WebAssembly, and a multiple of any host's pages.
const alignment = 64 << 10

func newBase(size int) (*base, error) {
	b := &base{size: size, set: make([]uint64, (size/Size+63)/64)}
	return b, b.file.create(size)
}

// write writes pages from page n on.
func (b *base) write(n int, content []byte) error {
	end := n + len(content)/Size
	for i := n; i < end; i++ {
		b.set[i/64] |= 1 << (i % 64)
	}
	b.extent = min(max(b.extent, (end*Size+alignment-1)/alignment*alignment), b.size)
	return b.file.write(n*Size, content)
}

// seal makes the file unchangeable, and readable by page.
func (b *base) seal() error {
	if err := b.file.seal(b.extent); err != nil {
		return err
	}
	b.own(b.file)
	return nil
}

// own makes the file the base's, to be closed when nothing uses it any more.
func (b *base) own(f file) {
	b.file = f
	runtime.AddCleanup(b, func(f file) { f.close() }, f)
}

// keep keeps the contents of pages valid up to here.
func (b *base) keep() { runtime.KeepAlive(b) }

func (b *base) page(n int) []byte {
	if n*Size >= b.extent || b.set[n/64]>>(n%64)&1 == 0 { // a hole, that reading would fill
		return zero[:]
	}
	return b.file.bytes[n*Size : (n+1)*Size]
}

// next is the first page from n on that may hold anything but zeros, or a
// number beyond all pages.
func (b *base) next(n int) int {
	for end := b.extent / Size; n < end; n = (n/64 + 1) * 64 {
		if word := b.set[n/64] >> (n % 64); word != 0 {
			return n + bits.TrailingZeros64(word)
		}
	}
	return ReservationBytes / Size
}

// hash is the hash of a page (level 0) or of a node over nothing but pages that
// are there; it reports false for a node that ends beyond the last one, which
// nobody knows how to hash but who knows the size. Pages beyond the last are
// zero.
func (b *base) hash(level, index int) (Hash, bool) {
	pages := b.size / Size
	if index<<shift(level) >= pages {
		return empty[level], true
	}
	if (index+1)<<shift(level) > pages {
		return Hash{}, false
	}
	b.once.Do(b.sum)
	if level < len(b.levels) && index < len(b.levels[level]) {
		return b.levels[level][index], true
	}
	return empty[level], true
}

// sum hashes all nodes that are over any page in the file.
func (b *base) sum() {
	pages := b.extent / Size
	hashes := make([]Hash, pages)
	for n := range hashes {
		hashes[n] = empty[0]
	}
	eachPart(pages, func(first, end int) {
		for n := b.next(first); n < end; n = b.next(n + 1) {
			hashes[n] = leafHash(b.page(n))
		}
	})
	b.levels = append(b.levels, hashes)
	for level := 1; len(hashes) > 0; level++ {
		whole := b.size / Size >> shift(level)
		above := make([]Hash, min((len(hashes)+fanOut-1)/fanOut, whole))
		for i := range above {
			var below [fanOut]Hash
			for j := range below {
				if below[j] = empty[level-1]; i*fanOut+j < len(hashes) {
					below[j] = hashes[i*fanOut+j]
				}
			}
			above[i] = nodeHash(below[:], level)
		}
		b.levels = append(b.levels, above)
		hashes = above
	}
}

// partPages is how many pages a goroutine hashes that has some to hash.
const partPages = 1024

// eachPart calls do for parts of so many pages, by several goroutines if there is
// more than one part.
func eachPart(pages int, do func(first, end int)) {
	var next atomic.Int64
	work := func() {
		for {
			first := int(next.Add(partPages)) - partPages
			if first >= pages {
				return
			}
			do(first, min(first+partPages, pages))
		}
	}
	var others sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (pages+partPages-1)/partPages) - 1 {
		others.Go(work)
	}
	work()
	others.Wait()
}
