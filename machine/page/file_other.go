//go:build unix && !linux

package page

import "errors"

// A file is memory of this process: there are no sealed files here.
type file struct{ bytes []byte }

func (f *file) create(size int) error { return nil }

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

func (f *file) view(size int) error { return errors.ErrUnsupported }

func (f *file) mapInto(memory []byte) error {
	copy(memory, f.bytes)
	return nil
}

func (f *file) close() {}
