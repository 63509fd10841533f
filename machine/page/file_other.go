//go:build unix && !linux

package page

import (
	"io"

	"golang.org/x/sys/unix"
)

// A file is memory of this process: there are no sealed files here.
type file struct {
	fd    int // of a snapshot that was opened; it is read at once
	bytes []byte
}

func (f *file) create(size int) error { f.fd = -1; return nil }

func (f *file) write(offset int, content []byte) error {
	if end := offset + len(content); end > len(f.bytes) {
		f.bytes = append(f.bytes, make([]byte, end-len(f.bytes))...)
	}
	copy(f.bytes[offset:], content)
	return nil
}

func (f *file) seal(size int) error {
	f.bytes = append(f.bytes, make([]byte, size-len(f.bytes))...)
	return nil
}

func (f *file) view(size int) error {
	f.bytes = make([]byte, size)
	for done := 0; done < size; {
		n, err := unix.Pread(f.fd, f.bytes[done:], int64(done))
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		done += n
	}
	return nil
}

func (f *file) data(size int, visit func(start, end int)) error {
	visit(0, size)
	return nil
}

func (f *file) mapInto(memory []byte) error {
	copy(memory, f.bytes)
	return nil
}

func (f *file) close() {
	if f.fd >= 0 {
		_ = unix.Close(f.fd)
	}
}
