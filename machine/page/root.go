package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
)

// Hash is a SHA-256.
type Hash = [sha256.Size]byte

// fanOut is how many nodes of a tree of hashes have one node above them.
const fanOut = 16

// What a hash is of, as its first byte.
const (
	leafMark  = 0 // a page
	innerMark = 1 // the hashes below a node, in order
	rootMark  = 2 // an image
)

// levels is enough for 2 GiB: 16^5 pages are 4 GiB.
const levels = 6

// empty holds the hash of a page of zeros, and above it that of nodes with
// nothing but such pages below.
var empty = func() (h [levels]Hash) {
	h[0] = leafHash(zero[:])
	for level := 1; level < levels; level++ {
		var below [fanOut]Hash
		for i := range below {
			below[i] = h[level-1]
		}
		h[level] = inner(below[:])
	}
	return h
}()

// emptyTree is the hash of the tree over no pages.
var emptyTree = sha256.Sum256(nil)

// Root is the root of an image: memory, by its size in bytes and the hash of its
// tree (Snapshot.Hash, Memory.Hash), the mutable globals of the program as bits
// (two for a v128, low half first) in the order it defines them, and the host
// region. It says the same for the same image on every machine. The format is in
// docs/formats/image-root.md.
func Root(size uint64, tree Hash, globals []uint64, host []byte) Hash {
	bits := make([]byte, 0, 8*len(globals))
	for _, g := range globals {
		bits = binary.LittleEndian.AppendUint64(bits, g)
	}
	globalsHash, hostHash := sha256.Sum256(bits), sha256.Sum256(host)
	b := binary.LittleEndian.AppendUint64([]byte{rootMark}, size)
	b = append(b, tree[:]...)
	b = append(b, globalsHash[:]...)
	b = append(b, hostHash[:]...)
	return sha256.Sum256(b)
}

// treeHash is the hash of the tree over memory: of fan-out 16 over the pages; its
// last node on each level may have fewer below it. No memory has the hash of no
// bytes. Memory is mapped from nothing: what was never written to is not read.
func treeHash(memory []byte) Hash {
	nodes := leaves(memory)
	if len(nodes) == 0 {
		return emptyTree
	}
	for level := 1; len(nodes) > 1; level++ {
		above := nodes[:0]
		for len(nodes) > 0 {
			n := min(fanOut, len(nodes))
			above = append(above, nodeHash(nodes[:n], level))
			nodes = nodes[n:]
		}
		nodes = above
	}
	return nodes[0]
}

// nodeHash is the hash of a node on a level over those below.
func nodeHash(below []Hash, level int) Hash {
	if len(below) == fanOut {
		for i := range below {
			if below[i] != empty[level-1] {
				return inner(below)
			}
		}
		return empty[level]
	}
	return inner(below)
}

// leaves hashes the pages.
func leaves(memory []byte) []Hash {
	hashes := make([]Hash, len(memory)/Size)
	for i := range hashes {
		hashes[i] = empty[0]
	}
	offset := func(part []byte) int { return (cap(memory) - cap(part)) / Size }
	visit := func(part []byte) {
		for first, n := offset(part), 0; len(part) >= Size; part, n = part[Size:], n+1 {
			if !bytes.Equal(part[:Size], zero[:]) {
				hashes[first+n] = leafHash(part[:Size])
			}
		}
	}
	if !written(memory, Auto, visit) {
		visit(memory)
	}
	return hashes
}

func leafHash(page []byte) Hash {
	b := make([]byte, 1+Size)
	b[0] = leafMark
	copy(b[1:], page)
	return sha256.Sum256(b)
}

func inner(below []Hash) Hash {
	b := make([]byte, 1, 1+fanOut*sha256.Size)
	b[0] = innerMark
	for i := range below {
		b = append(b, below[i][:]...)
	}
	return sha256.Sum256(b)
}
