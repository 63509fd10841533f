package posix

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf8"

	"carrel/machine/meter"
)

var le = binary.LittleEndian

// bytes is a part of the program's memory.
func (s *System) bytes(offset, length uint32) ([]byte, error) {
	b, ok := s.caller.Bytes(offset, length)
	if !ok {
		return nil, EFAULT
	}
	return b, nil
}

func (s *System) put32(offset uint32, v uint32) error {
	b, err := s.bytes(offset, 4)
	if err != nil {
		return err
	}
	le.PutUint32(b, v)
	return nil
}

func (s *System) put64(offset uint32, v uint64) error {
	b, err := s.bytes(offset, 8)
	if err != nil {
		return err
	}
	le.PutUint64(b, v)
	return nil
}

// charge takes fuel for work; nothing is charged when no program is running.
func (s *System) charge(units uint64) error {
	if s.caller == nil {
		return nil
	}
	return s.caller.Charge(units)
}

func (s *System) chargeBytes(n uint64) error { return s.charge(meter.HostBytesCost(n)) }

// path reads a path that the program names.
func (s *System) path(offset, length uint32) (string, error) {
	if length > PathBytesMax {
		return "", ENAMETOOLONG
	}
	b, err := s.bytes(offset, length)
	if err != nil {
		return "", err
	}
	if err := s.chargeBytes(uint64(length)); err != nil {
		return "", err
	}
	p := string(b)
	switch {
	case p == "":
		return "", ENOENT
	case !utf8.ValidString(p):
		return "", EILSEQ
	case strings.IndexByte(p, 0) >= 0:
		return "", EINVAL
	}
	return p, nil
}

// iovecs reads a list of buffers, leaving out empty ones, and adds up their
// length. The result is valid until the next call.
func (s *System) iovecs(offset, count uint32) ([][]byte, uint64, error) {
	if count > IovecsMax {
		return nil, 0, EINVAL
	}
	list, err := s.bytes(offset, count*8)
	if err != nil {
		return nil, 0, err
	}
	if err := s.chargeBytes(uint64(len(list))); err != nil {
		return nil, 0, err
	}
	buffers, total := s.buffers[:0], uint64(0)
	for ; len(list) > 0; list = list[8:] {
		length := le.Uint32(list[4:])
		if length == 0 {
			continue
		}
		b, err := s.bytes(le.Uint32(list), length)
		if err != nil {
			return nil, 0, err
		}
		buffers, total = append(buffers, b), total+uint64(length)
	}
	s.buffers = buffers
	if total > math.MaxUint32 {
		return nil, 0, EINVAL
	}
	return buffers, total, nil
}
