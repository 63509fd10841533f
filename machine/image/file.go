package image

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"

	"carrel/machine/page"
	"carrel/program/seal"
)

const imageMagic = "carrel-image"

// endMark stands where the number of a group would.
const endMark = 1<<32 - 1

// ErrNotImage reports a file that does not begin as the file of an image does.
var ErrNotImage = errors.New("not the file of an image")

// A Label is what the file of an image says beside the image. The root does not
// cover it: whoever starts a program from an image looks whether it fits.
type Label struct {
	MachineVersion uint32      // turn.MachineVersion
	Program        seal.Digest // of the wasm, as it was handed in
	Guest          string      // name of the personality; at most GuestBytesMax
	GuestVersion   uint32
}

func (l *Label) check() error {
	switch {
	case l.MachineVersion == 0:
		return errors.New("machine version is 0")
	case l.Program.IsZero():
		return errors.New("no program is named")
	case l.Guest == "" || len(l.Guest) > GuestBytesMax || !utf8.ValidString(l.Guest):
		return fmt.Errorf("guest is %.80q: it has 1 to %d bytes of UTF-8", l.Guest, GuestBytesMax)
	case l.GuestVersion == 0:
		return errors.New("guest version is 0")
	}
	return nil
}

// A Header is what the file of an image says before the pages. Nobody has
// checked that the pages give the root.
type Header struct {
	Label
	Root        page.Hash
	MemoryBytes uint64
	Globals     int
	HostBytes   int
}

// fileHeader is the header as it is written.
type fileHeader struct {
	MachineVersion uint32    `cbor:"machineVersion"`
	Program        page.Hash `cbor:"program"`
	Guest          string    `cbor:"guest"`
	GuestVersion   uint32    `cbor:"guestVersion"`
	Root           page.Hash `cbor:"root"`
	rest
}

func (h *fileHeader) label() Label {
	return Label{h.MachineVersion, seal.Digest(h.Program), h.Guest, h.GuestVersion}
}

// A packer compresses and decompresses groups of pages.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
	group   [groupBytes]byte
	packed  []byte
}

var packers = sync.Pool{New: func() any {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(groupBytes), zstd.WithLowerEncoderMem(true))
	if err != nil {
		panic(err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(groupBytes), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		panic(err)
	}
	return &packer{encoder: encoder, decoder: decoder}
}}

// Write writes an image as a file, and holds no more than a group of pages of it.
// The bytes may differ between releases; what they are read as does not.
func Write(w io.Writer, i *Image, label *Label) error {
	if err := write(w, i, label); err != nil {
		return fmt.Errorf("write image: %w", err)
	}
	return nil
}

func write(w io.Writer, i *Image, label *Label) error {
	if err := label.check(); err != nil {
		return err
	}
	header := fileHeader{label.MachineVersion, label.Program, label.Guest, label.GuestVersion, i.Root(), restOf(i)}
	if err := header.check(Limits{}); err != nil {
		return err
	}
	text, err := encodeHeader(&header)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	b := appendPreface(nil, imageMagic, len(text))
	if _, err := w.Write(append(append(b, text...), sum[:]...)); err != nil {
		return err
	}
	p := packers.Get().(*packer)
	defer packers.Put(p)
	if err := p.writePages(w, i.memory()); err != nil {
		return err
	}
	_, err = w.Write(groupHead(nil, endMark, 0))
	return err
}

func groupHead(b []byte, number, length uint32) []byte {
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, number), length)
}

func (p *packer) writePages(w io.Writer, memory *page.Snapshot) (err error) {
	last := -1 // the group that is being filled
	flush := func() {
		p.packed = p.encoder.EncodeAll(p.group[:], append(p.packed[:0], make([]byte, groupHeadBytes)...))
		groupHead(p.packed[:0], uint32(last), uint32(len(p.packed)-groupHeadBytes))
		_, err = w.Write(p.packed)
	}
	memory.Each(func(n int, content []byte) bool {
		if group := n / groupPages; group != last {
			if last >= 0 {
				flush()
			}
			clear(p.group[:])
			last = group
		}
		copy(p.group[n%groupPages*page.Size:], content)
		return err == nil
	})
	if last >= 0 && err == nil {
		flush()
	}
	return err
}

const groupHeadBytes = 8

// Read reads a file that Write wrote, to its end, and checks all of it: form,
// limits, and that what was read has the root that the file names.
//
// The error wraps ErrNotImage if the file does not begin as one of an image, and
// page.ErrNoMemory if the host has none.
func Read(r io.Reader, limits Limits) (*Image, *Label, error) {
	i, label, err := read(bufio.NewReaderSize(r, groupBytes), limits)
	if err != nil {
		return nil, nil, fmt.Errorf("read image: %w", err)
	}
	return i, label, nil
}

func read(r io.Reader, limits Limits) (*Image, *Label, error) {
	header, err := readHeader(r)
	if err != nil {
		return nil, nil, err
	}
	if err := header.check(limits); err != nil {
		return nil, nil, err
	}
	i := header.image()
	if header.Memory > 0 {
		i.Memory, err = readMemory(r, header.Memory)
	} else {
		err = endOfGroups(r)
	}
	if err != nil {
		return nil, nil, err
	}
	if root := i.Root(); root != header.Root {
		return nil, nil, fmt.Errorf("the content has root %v, the header says %v: the file is damaged",
			seal.Digest(root), seal.Digest(header.Root))
	}
	label := header.label()
	return i, &label, nil
}

func endOfGroups(r io.Reader) error {
	_, _, err := nextGroup(r, -1, 0)
	return err
}

func readMemory(r io.Reader, size uint64) (*page.Snapshot, error) {
	b := page.NewBuilder(size)
	p := packers.Get().(*packer)
	defer packers.Put(p)
	if err := p.readPages(r, b, int(size/groupBytes)); err != nil {
		b.Discard()
		return nil, err
	}
	return b.Snapshot()
}

func (p *packer) readPages(r io.Reader, b *page.Builder, groups int) error {
	for last := -1; ; {
		number, length, err := nextGroup(r, last, groups)
		if err != nil || number == endMark {
			return err
		}
		p.packed = append(p.packed[:0], make([]byte, length)...)
		if err := fill(r, p.packed); err != nil {
			return fmt.Errorf("group %d: %w", number, err)
		}
		content, err := p.decoder.DecodeAll(p.packed, p.group[:0])
		if err != nil {
			return fmt.Errorf("group %d: %w", number, err)
		}
		if len(content) != groupBytes {
			return fmt.Errorf("group %d has %d bytes, not %d", number, len(content), groupBytes)
		}
		if bytes.Equal(content, zeros[:]) {
			return fmt.Errorf("group %d is all zeros, and is there", number)
		}
		for n := range groupPages {
			b.Set(int(number)*groupPages+n, content[n*page.Size:(n+1)*page.Size])
		}
		last = int(number)
	}
}

var zeros [groupBytes]byte

// nextGroup reads the head of a group after the last one. If there is none it
// gives endMark, and nothing follows.
func nextGroup(r io.Reader, last, groups int) (number uint32, length int, err error) {
	var head [groupHeadBytes]byte
	if err := fill(r, head[:]); err != nil {
		return 0, 0, fmt.Errorf("after group %d: %w", last, err)
	}
	number = binary.LittleEndian.Uint32(head[:])
	size := binary.LittleEndian.Uint32(head[4:])
	if number == endMark {
		if size != 0 {
			return 0, 0, fmt.Errorf("end mark with length %d", size)
		}
		if n, err := io.ReadFull(r, head[:1]); n > 0 || err != io.EOF {
			return 0, 0, errors.Join(errors.New("something follows the end mark"), err)
		}
		return number, 0, nil
	}
	switch {
	case int64(number) >= int64(groups):
		return 0, 0, fmt.Errorf("group %d, memory has %d", number, groups)
	case int64(number) <= int64(last):
		return 0, 0, fmt.Errorf("group %d after group %d", number, last)
	case size == 0 || size > packedBytesMax:
		return 0, 0, fmt.Errorf("group %d has %d compressed bytes: from 1 to %d are possible", number, size, packedBytesMax)
	}
	return number, int(size), nil
}

// ReadHeader reads the start of a file, up to the pages. Errors: ErrNotImage.
func ReadHeader(r io.Reader) (*Header, error) {
	h, err := readHeader(r)
	if err == nil {
		err = h.check(Limits{})
	}
	if err != nil {
		return nil, fmt.Errorf("read header of image: %w", err)
	}
	return &Header{h.label(), h.Root, h.Memory, len(h.Globals) / 8, len(h.Host)}, nil
}

func readHeader(r io.Reader) (*fileHeader, error) {
	var preface [prefaceBytes]byte
	n, err := io.ReadFull(r, preface[:])
	if n < magicBytes || err == io.EOF {
		return nil, ErrNotImage
	}
	...
}
