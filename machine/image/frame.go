package image

import (
	"fmt"
	"io"

	"carrel/machine/page"
)

// A Frame is an image without its pages, as the start of a file or of a delta
// has it. Nobody has checked it against the root.
type Frame struct {
	Root        page.Hash
	MemoryBytes uint64
	Globals     []uint64
	Host        []byte
}

func (r *rest) frame(root page.Hash) *Frame {
	i := r.image()
	return &Frame{Root: root, MemoryBytes: r.Memory, Globals: i.Globals, Host: i.Host}
}

// With makes an image of the frame and a memory, nil for one of size 0: Verify
// says whether it has the root.
func (f *Frame) With(memory *page.Snapshot) *Image {
	return Unverified(memory, f.Globals, f.Host, f.Root)
}

// ReadFrame reads the start of a file, up to the pages. The error wraps
// ErrNotImage if the file does not begin as one of an image.
func ReadFrame(r io.Reader) (*Frame, *Label, error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, nil, fmt.Errorf("read header of image: %w", err)
	}
	return h.frame(h.Root), h.label(), nil
}

// ReadDeltaFrame reads the start of a delta, up to the pages: the frame of the
// image that it leads to, and the root of the one that it begins at. The error
// wraps ErrNotDelta if the bytes do not begin as those of a delta.
func ReadDeltaFrame(r io.Reader) (after *Frame, before page.Hash, err error) {
	var h deltaHeader
	text, err := readStart(r, deltaMagic, ErrNotDelta, 0)
	if err == nil {
		err = decodeHeader(text, &h)
	}
	if err == nil {
		err = h.check()
	}
	if err != nil {
		return nil, page.Hash{}, fmt.Errorf("read header of delta: %w", err)
	}
	return h.frame(h.After), h.Before, nil
}
