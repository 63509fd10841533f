package image

import (
	"bytes"
	"fmt"
	"io"

	"carrel/machine/page"
)

// A group that is stored is a frame of zstd with the pages in blocks of their own,
// as they are, so that Read reads it as any other: RFC 8878, 3.1.1.
const (
	// storedDescriptor says: one segment, four bytes of content size, no checksum.
	storedDescriptor = 2<<6 | 1<<5
	blockRaw         = 0
	blockRLE         = 1 // of one byte, again and again
)

// Store writes an image as Write does, but without compression: the bytes depend
// on nothing but the image and its label, whatever the release and the machine, and
// cost little more than their transport. Read reads them.
func Store(w io.Writer, i *Image, label *Label) error {
	if err := write(w, i, label, (*packer).store); err != nil {
		return fmt.Errorf("store image: %w", err)
	}
	return nil
}

// store puts the head of a group and the group, as it is, into packed. A page of
// zeros takes four bytes.
func (p *packer) store(number uint32) {
	b := append(p.packed[:groupHeadBytes], 0x28, 0xb5, 0x2f, 0xfd, storedDescriptor,
		groupBytes&0xff, groupBytes>>8&0xff, groupBytes>>16&0xff, groupBytes>>24)
	for n := range groupPages {
		content := p.group[n*page.Size : (n+1)*page.Size]
		kind, last := blockRaw, 0
		if bytes.Equal(content, zeros[:page.Size]) {
			kind, content = blockRLE, content[:1]
		}
		if n == groupPages-1 {
			last = 1
		}
		head := page.Size<<3 | kind<<1 | last
		b = append(append(b, byte(head), byte(head>>8), byte(head>>16)), content...)
	}
	p.packed = b
	appendGroupHead(p.packed[:0], number, uint32(len(p.packed)-groupHeadBytes))
}
