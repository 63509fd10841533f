package image

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"

	"carrel/machine/page"
	"carrel/program/seal"
)

const deltaMagic = "carrel-delta"

var (
	// ErrNotDelta reports bytes that do not begin as a delta does.
	ErrNotDelta = errors.New("not a delta")
	// ErrWrongBase reports a delta that begins at another image.
	ErrWrongBase = errors.New("the delta begins at another image")
)

// A Delta leads from one image to another. It is immutable and safe for
// concurrent use.
type Delta struct {
	header deltaHeader
	body   []byte // the groups, as they are written
}

// deltaHeader is a header as it is written.
type deltaHeader struct {
	Before page.Hash `cbor:"before"`
	After  page.Hash `cbor:"after"`
	Pages  int       `cbor:"pages"` // how many differ
	rest             // of the image after
}

func (h *deltaHeader) check() error {
	if h.Pages < 0 || uint64(h.Pages) > h.Memory/page.Size {
		return fmt.Errorf("%d pages differ, memory has %d", h.Pages, h.Memory/page.Size)
	}
	return h.rest.check()
}

// Before is the root of the image that the delta begins at.
func (d *Delta) Before() page.Hash { return d.header.Before }

// After is the root of the image that it leads to.
func (d *Delta) After() page.Hash { return d.header.After }

// Pages is how many pages differ, of those there are afterwards.
func (d *Delta) Pages() int { return d.header.Pages }

// A differ makes groups of pages, and pages of groups.
type differ struct {
	pages   [groupPages]int // which
	xor     [groupBytes]byte
	packed  []byte
	content [groupPages][page.Size]byte // of what becomes of the pages
	changes [groupPages]page.Change
}

var differs = sync.Pool{New: func() any {
	return &differ{packed: make([]byte, s2.MaxEncodedLen(groupBytes))}
}}

// Diff is the delta between two images. The cost follows what differs if one came
// of the other, and the size of memory otherwise.
func Diff(before, after *Image) (*Delta, error) {
	d := &Delta{header: deltaHeader{Before: before.Root(), After: after.Root(), rest: restOf(after)}}
	x := differs.Get().(*differ)
	defer differs.Put(x)
	n, last := 0, -1
	flush := func() {
		d.body = x.append(d.body, last, n)
		last, n = x.pages[n-1], 0
	}
	pages := after.memory().Pages()
	page.Diff(before.memory(), after.memory(), func(at int, was, is []byte) bool {
		if at >= pages { // gone
			return false
		}
		subtle.XORBytes(x.xor[n*page.Size:(n+1)*page.Size], was, is)
		x.pages[n] = at
		n++
		d.header.Pages++
		if n == groupPages {
			flush()
		}
		return true
	})
	if n > 0 {
		flush()
	}
	if err := d.header.check(); err != nil {
		return nil, fmt.Errorf("make delta: %w", err)
	}
	return d, nil
}

// append appends the group of the first n pages, where last is the page before.
func (x *differ) append(b []byte, last, n int) []byte {
	for _, at := range x.pages[:n] {
		b = binary.AppendUvarint(b, uint64(at-last-1))
		last = at
	}
	packed := s2.Encode(x.packed, x.xor[:n*page.Size])
	b = binary.AppendUvarint(b, uint64(len(packed)))
	return append(b, packed...)
}

// Append appends the delta as it is written. The bytes may differ between
// releases and machines, what they lead to does not.
func (d *Delta) Append(b []byte) []byte {
	header, err := encodeHeader(&d.header)
	if err != nil { // it holds nothing but numbers and bytes
		panic(err)
	}
	b = appendPreface(b, deltaMagic, len(header))
	return append(append(b, header...), d.body...)
}

// ReadDelta reads what Append wrote, all of it, and checks form and limits. It
// keeps a part of data, which must not change. The error wraps ErrNotDelta if
// data does not begin as a delta does.
func ReadDelta(data []byte, limits Limits) (*Delta, error) {
	d, err := readDelta(data, limits)
	if err != nil {
		return nil, fmt.Errorf("read delta: %w", err)
	}
	return d, nil
}

func readDelta(data []byte, limits Limits) (*Delta, error) {
	length, err := headerLength(data, deltaMagic, ErrNotDelta)
	if err != nil {
		return nil, err
	}
	data = data[prefaceBytes:]
	if len(data) < length {
		return nil, errEarly
	}
	d := &Delta{body: data[length:]}
	if err := decodeHeader(data[:length], &d.header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := d.header.check(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := limits.check(d.header.Memory); err != nil {
		return nil, err
	}
	return d, d.eachGroup(func(x *differ, n int) error {
		for i, at := range x.pages[:n] {
			if bytes.Equal(x.xor[i*page.Size:(i+1)*page.Size], zeros[:page.Size]) {
				return fmt.Errorf("page %d does not differ: it should not be there", at)
			}
		}
		return nil
	})
}

// eachGroup reads the groups to the end of the body, and gives each to visit: n
// pages.
func (d *Delta) eachGroup(visit func(x *differ, n int) error) error {
	x := differs.Get().(*differ)
	defer differs.Put(x)
	b, last := d.body, -1
	for left := d.header.Pages; left > 0; left -= groupPages {
		n := min(left, groupPages)
		var err error
		if b, err = x.read(b, last, n, d.header.Memory/page.Size); err != nil {
			if last < 0 {
				return fmt.Errorf("first pages: %w", err)
			}
			return fmt.Errorf("pages after page %d: %w", last, err)
		}
		if err := visit(x, n); err != nil {
			return err
		}
		last = x.pages[n-1]
	}
	if len(b) > 0 {
		return fmt.Errorf("%d bytes follow the last page", len(b))
	}
	return nil
}

// read reads a group of n pages, where last is the page before and memory has
// so many pages, and gives what follows it.
func (x *differ) read(b []byte, last, n int, pages uint64) (rest []byte, err error) {
	var gap, length uint64
	for i := range n {
		if gap, b, err = uvarint(b); err != nil {
			return nil, err
		}
		if gap >= pages-uint64(last+1) {
			return nil, fmt.Errorf("page number beyond the end: memory has %d pages", pages)
		}
		last += int(gap) + 1
		x.pages[i] = last
	}
	if length, b, err = uvarint(b); err != nil {
		return nil, err
	}
	if length > uint64(len(b)) {
		return nil, errEarly
	}
	packed, b := b[:length], b[length:]
	size, err := s2.DecodedLen(packed)
	if err == nil && size != n*page.Size {
		err = fmt.Errorf("%d bytes of content for %d pages", size, n)
	}
	if err == nil {
		_, err = s2.Decode(x.xor[:size], packed)
	}
	return b, err
}

// uvarint reads a number in its shortest form.
func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	switch {
	case n == 0:
		return 0, nil, errEarly
	case n < 0 || n > 1 && b[n-1] == 0:
		return 0, nil, errors.New("a number is not in its shortest form")
	}
	return v, b[n:], nil
}

// Apply makes the image that the delta leads to, and checks its root. It shares
// with the one before what does not differ. The error wraps ErrWrongBase if the
// delta begins at another image, and ErrRoot if it leads to another.
func (d *Delta) Apply(before *Image) (*Image, error) {
	i, err := d.apply(before)
	if err != nil {
		return nil, fmt.Errorf("apply delta: %w", err)
	}
	return i, nil
}

func (d *Delta) apply(before *Image) (*Image, error) {
	h := &d.header
	if root := before.Root(); root != h.Before {
		return nil, fmt.Errorf("%w: at %v, not %v", ErrWrongBase, seal.Digest(h.Before), seal.Digest(root))
	}
	i := h.image()
	memory := before.memory().With(h.Memory, nil)
	err := d.eachGroup(func(x *differ, n int) error {
		for k, at := range x.pages[:n] {
			content := &x.content[k]
			memory.Read(at, content[:])
			subtle.XORBytes(content[:], content[:], x.xor[k*page.Size:])
			x.changes[k] = page.Change{Page: at, Content: content}
		}
		memory = memory.With(h.Memory, x.changes[:n])
		return nil
	})
	if err != nil {
		return nil, err
	}
	if h.Memory > 0 {
		i.Memory = memory
	}
	return i, i.check(h.After)
}
