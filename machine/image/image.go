// Package image is the whole state of a program at rest: the value, the file that
// holds one, and the delta between two.
package image

import (
	"sync/atomic"

	"carrel/machine/page"
	"carrel/program/seal"
)

// An Image is the whole state of a program at rest, between two calls. It is not
// changed any more once anybody has it, and safe for concurrent use.
type Image struct {
	Memory  *page.Snapshot // nil is a memory of size 0, or none
	Globals []uint64       // the mutable globals as page.Root wants them; at most GlobalsMax
	Host    []byte         // the host region: canonical CBOR of the personality; at most HostBytesMax

	root  atomic.Pointer[page.Hash] // nil until somebody asked
	claim *claim                    // nil for one that was made here
}

// Root names the image: two are the same if and only if their roots are. It is
// computed once; the format is in docs/formats/image-root.md.
func (i *Image) Root() page.Hash {
	if root := i.root.Load(); root != nil {
		return *root
	}
	memory := i.memory()
	root := page.Root(memory.Bytes(), memory.Hash(), i.Globals, i.Host)
	i.root.Store(&root)
	return root
}

// RootString is the root as text, "sha256:" and 64 digits.
func (i *Image) RootString() string { return seal.Digest(i.Root()).String() }

// memory is the memory, if only one of size 0.
func (i *Image) memory() *page.Snapshot {
	if i.Memory == nil {
		return page.Empty()
	}
	return i.Memory
}
