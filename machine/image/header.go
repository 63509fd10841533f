package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"carrel/machine/page"
)

// version is of both formats.
const version = 1

// A preface is what a file and a delta begin with: a magic of 12 bytes, the
// version and the length of the header, 4 bytes each.
const prefaceBytes = 12 + 4 + 4

func appendPreface(b []byte, magic string, header int) []byte {
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	return binary.LittleEndian.AppendUint32(b, uint32(header))
}

// headerLength reads a preface, or as much of it as there is. It fails with
// other if the magic is another.
func headerLength(preface []byte, magic string, other error) (int, error) {
	if !bytes.HasPrefix(preface, []byte(magic)) {
		return 0, other
	}
	if len(preface) < prefaceBytes {
		return 0, errEarly
	}
	if v := binary.LittleEndian.Uint32(preface[len(magic):]); v != version {
		return 0, fmt.Errorf("version %d of the format, only version %d is known: use a newer carrel", v, version)
	}
	n := binary.LittleEndian.Uint32(preface[len(magic)+4:])
	if n > HeaderBytesMax {
		return 0, fmt.Errorf("header of %d bytes, the limit is %d", n, HeaderBytesMax)
	}
	return int(n), nil
}

// rest is an image without its pages, as headers have it.
type rest struct {
	Memory  uint64 `cbor:"memory"`  // size in bytes
	Globals []byte `cbor:"globals"` // 8 each, little-endian
	Host    []byte `cbor:"host"`
}

func restOf(i *Image) rest {
	globals := make([]byte, 0, 8*len(i.Globals))
	for _, g := range i.Globals {
		globals = binary.LittleEndian.AppendUint64(globals, g)
	}
	return rest{i.memory().Bytes(), globals, i.Host}
}

func (r *rest) check() error {
	switch {
	case r.Memory%memoryUnit != 0:
		return fmt.Errorf("memory of %d bytes, not a multiple of %d", r.Memory, memoryUnit)
	case r.Memory > page.ReservationBytes:
		return fmt.Errorf("memory of %d bytes, the limit is %d", r.Memory, page.ReservationBytes)
	case len(r.Globals)%8 != 0:
		return fmt.Errorf("globals of %d bytes, not a multiple of 8", len(r.Globals))
	case len(r.Globals)/8 > GlobalsMax:
		return fmt.Errorf("%d globals, the limit is %d", len(r.Globals)/8, GlobalsMax)
	case len(r.Host) > HostBytesMax:
		return fmt.Errorf("host region of %d bytes, the limit is %d", len(r.Host), HostBytesMax)
	}
	return nil
}

// image is an image of what there is but memory.
func (r *rest) image() *Image {
	i := &Image{Host: r.Host}
	for b := r.Globals; len(b) > 0; b = b[8:] {
		i.Globals = append(i.Globals, binary.LittleEndian.Uint64(b))
	}
	return i
}

var (
	encoding = func() cbor.EncMode {
		options := cbor.CoreDetEncOptions()
		options.NilContainers = cbor.NilContainerAsEmpty
		mode, err := options.EncMode()
		if err != nil {
			panic(err)
		}
		return mode
	}()
	decoding = func() cbor.DecMode {
		mode, err := cbor.DecOptions{
			DupMapKey:         cbor.DupMapKeyEnforcedAPF,
			IndefLength:       cbor.IndefLengthForbidden,
			TagsMd:            cbor.TagsForbidden,
			ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
			FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
			MaxNestedLevels:   4,
			MaxMapPairs:       16,
			MaxArrayElements:  16,
		}.DecMode()
		if err != nil {
			panic(err)
		}
		return mode
	}()
)

var errNotCanonical = errors.New("not in canonical form, or a field is missing")

// encodeHeader is the canonical CBOR of a header.
func encodeHeader(header any) ([]byte, error) { return encoding.Marshal(header) }

// decodeHeader reads what encodeHeader writes, and nothing else.
func decodeHeader(b []byte, header any) error {
	if err := decoding.Unmarshal(b, header); err != nil {
		return err
	}
	again, err := encodeHeader(header)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return errNotCanonical
	}
	return nil
}
