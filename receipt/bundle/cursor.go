package bundle

import (
	"errors"
	"fmt"
	"io"

	"carrel/program/seal"
)

// A cursor goes through the entries of a bundle, one after the other.
type cursor struct {
	file   io.ReaderAt
	size   int64
	offset int64
}

// next reads a header and goes past its entry. The name is "" at the end mark.
func (c *cursor) next() (string, extent, error) {
	block, err := c.block()
	if err != nil || block == zeroBlock {
		return "", extent{}, err
	}
	name, size, err := parseHeader(&block)
	if err != nil {
		return "", extent{}, err
	}
	at := extent{c.offset, size}
	pad := padding(size)
	if size > c.size-c.offset-pad {
		return "", extent{}, fmt.Errorf("entry %q: %w", name, io.ErrUnexpectedEOF)
	}
	c.offset += size + pad
	if pad == 0 {
		return name, at, nil
	}
	filler := make([]byte, pad)
	if err := c.read(filler, c.offset-pad); err != nil {
		return "", extent{}, err
	}
	if string(filler) != string(zeroBlock[:pad]) {
		return "", extent{}, fmt.Errorf("entry %q: the padding is not zero", name)
	}
	return name, at, nil
}

func (c *cursor) block() (block [blockBytes]byte, err error) {
	if err := c.read(block[:], c.offset); err != nil {
		return block, err
	}
	c.offset += blockBytes
	return block, nil
}

func (c *cursor) read(p []byte, offset int64) error {
	if int64(len(p)) > c.size-offset {
		return io.ErrUnexpectedEOF
	}
	n, err := c.file.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

func (c *cursor) magic() error {
	name, at, err := c.next()
	if err == nil && (name != magicName || at.size != 0) {
		err = fmt.Errorf("entry %q of %d bytes, want an empty %q", name, at.size, magicName)
	}
	return err
}

func (c *cursor) receipt() ([]byte, error) {
	name, at, err := c.next()
	switch {
	case err != nil:
		return nil, err
	case name != receiptName:
		return nil, fmt.Errorf("entry %q, want %q", name, receiptName)
	case at.size > seal.EnvelopeBytesMax:
		return nil, fmt.Errorf("entry %q of %d bytes, at most %d", name, at.size, seal.EnvelopeBytesMax)
	}
	text := make([]byte, at.size)
	return text, c.read(text, at.offset)
}

// end checks what follows the first zero block: another one, and nothing.
func (c *cursor) end() error {
	block, err := c.block()
	if err != nil {
		return err
	}
	if block != zeroBlock || c.offset != c.size {
		return errors.New("something follows the last entry")
	}
	return nil
}
