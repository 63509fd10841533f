package image

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"carrel/machine/page"
)

// ErrNotImage reports a file that does not begin as the file of an image does.
var ErrNotImage = errors.New("not the file of an image")

// Read reads a file of an image to its end and checks all of it: form, limits,
// and that what was read has the root that the file names.
//
// The error wraps ErrNotImage if the file does not begin as one of an image,
// ErrRoot if the root is another, and page.ErrNoMemory if the host has none.
func Read(r io.Reader, limits Limits) (*Image, *Label, error) {
	i, label, err := ReadUnverified(r, limits)
	if err != nil {
		return nil, nil, err
	}
	if err := i.Verify(); err != nil {
		return nil, nil, fmt.Errorf("read image: %w", err)
	}
	return i, label, nil
}

// ReadUnverified is Read but for the root: what comes of the image must wait for
// its Verify.
func ReadUnverified(r io.Reader, limits Limits) (*Image, *Label, error) {
	return readThen(r, limits, end)
}

// ReadOpen is ReadUnverified for a stream that nobody closes: it reads up to the
// end mark, and what of the rest comes with it. It waits for no more bytes than it
// takes to see that they are not of an image.
func ReadOpen(r io.Reader, limits Limits) (*Image, *Label, error) {
	stream := bufio.NewReaderSize(r, groupBytes)
	for n := range len(imageMagic) {
		start, err := stream.Peek(n + 1)
		if err != nil {
			break // which is said below
		}
		if start[n] != imageMagic[n] {
			return nil, nil, fmt.Errorf("read image: %w", ErrNotImage)
		}
	}
	return readThen(stream, limits, func(io.Reader) error { return nil })
}

// readThen reads an image, and then what follows the end mark.
func readThen(r io.Reader, limits Limits, rest func(io.Reader) error) (*Image, *Label, error) {
	i, label, err := read(bufio.NewReaderSize(r, groupBytes), limits, rest)
	if err != nil {
		return nil, nil, fmt.Errorf("read image: %w", err)
	}
	return i, label, nil
}

func read(r io.Reader, limits Limits, rest func(io.Reader) error) (*Image, *Label, error) {
	header, err := readHeader(r)
	if err != nil {
		return nil, nil, err
	}
	if err := limits.check(header.Memory); err != nil {
		return nil, nil, err
	}
	memory, err := readMemory(r, header.Memory)
	if err != nil {
		return nil, nil, err
	}
	if err := rest(r); err != nil {
		return nil, nil, err
	}
	return header.frame(header.Root).With(memory), header.label(), nil
}

func readHeader(r io.Reader) (*fileHeader, error) {
	text, err := readStart(r, imageMagic, ErrNotImage, sha256.Size)
	if err != nil {
		return nil, err
	}
	text, sum := text[:len(text)-sha256.Size], text[len(text)-sha256.Size:]
	if have := sha256.Sum256(text); !bytes.Equal(have[:], sum) {
		return nil, errors.New("header is damaged: its SHA-256 is another")
	}
	header := new(fileHeader)
	if err := decodeHeader(text, header); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := header.check(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	return header, nil
}

// readStart reads a preface, and gives the header with so many bytes that follow
// it. It fails with other if the magic is another.
func readStart(r io.Reader, magic string, other error, more int) ([]byte, error) {
	preface := make([]byte, prefaceBytes)
	if n, err := io.ReadFull(r, preface); err != nil && !ended(err) {
		return nil, err
	} else if n < prefaceBytes {
		preface = preface[:n]
	}
	length, err := headerLength(preface, magic, other)
	if err != nil {
		return nil, err
	}
	// What is not there is not allocated, whatever the length.
	text, err := io.ReadAll(io.LimitReader(r, int64(length+more)))
	if err != nil {
		return nil, err
	}
	if len(text) < length+more {
		return nil, errEarly
	}
	return text, nil
}

// readMemory reads groups up to the end mark. Memory of size 0 is nil.
func readMemory(r io.Reader, size uint64) (*page.Snapshot, error) {
	if size == 0 {
		_, _, err := nextGroup(r, -1, 0)
		return nil, err
	}
	b := page.NewBuilder(size)
	if err := readGroups(r, b, int(size/groupBytes)); err != nil {
		b.Discard()
		return nil, err
	}
	return b.Snapshot()
}

func readGroups(r io.Reader, b *page.Builder, groups int) error {
	p := packers.Get().(*packer)
	defer packers.Put(p)
	for last := -1; ; {
		number, length, err := nextGroup(r, last, groups)
		if err != nil || number == endMark {
			return err
		}
		p.packed = p.packed[:length]
		if err := fill(r, p.packed); err != nil {
			return fmt.Errorf("group %d: %w", number, err)
		}
		if err := p.unpack(); err != nil {
			return fmt.Errorf("group %d: %w", number, err)
		}
		if p.group == zeros {
			return fmt.Errorf("group %d holds nothing but zeros: it should not be there", number)
		}
		b.Set(number*groupPages, p.group[:])
		last = number
	}
}

var zeros [groupBytes]byte

// nextGroup reads the head of the group after the last one, or the end mark.
func nextGroup(r io.Reader, last, groups int) (number, length int, err error) {
	var head [groupHeadBytes]byte
	if err := fill(r, head[:]); err != nil {
		return 0, 0, fmt.Errorf("head of a group: %w", err)
	}
	number = int(binary.LittleEndian.Uint32(head[:]))
	length = int(binary.LittleEndian.Uint32(head[4:]))
	switch {
	case number == endMark && length != 0:
		return 0, 0, fmt.Errorf("end mark with a length of %d", length)
	case number == endMark:
		return number, 0, nil
	case number >= groups:
		return 0, 0, fmt.Errorf("group %d: memory has %d", number, groups)
	case number <= last:
		return 0, 0, fmt.Errorf("group %d after group %d", number, last)
	case length > packedBytesMax:
		return 0, 0, fmt.Errorf("group %d has %d compressed bytes, the limit is %d", number, length, packedBytesMax)
	}
	return number, length, nil
}

var errEarly = errors.New("it ends early")

// fill reads as much as b has room for.
func fill(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if ended(err) {
		return errEarly
	}
	return err
}

func ended(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }

// end reads the end of the file.
func end(r io.Reader) error {
	switch _, err := io.ReadFull(r, make([]byte, 1)); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("something follows the end mark")
	default:
		return err
	}
}
