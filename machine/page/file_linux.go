package page

import "golang.org/x/sys/unix"

// A file is a memfd that is sealed once it is written: nobody can write to it,
// cut it or make it longer, whoever holds its descriptor.
type file struct {
	fd    int
	bytes []byte // mapped for reading, once it is sealed
}

func (f *file) create(size int) (err error) {
	f.fd, err = unix.MemfdCreate("carrel image", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return err
	}
	return unix.Ftruncate(f.fd, int64(size))
}

func (f *file) write(offset int, content []byte) error {
	for len(content) > 0 {
		n, err := unix.Pwrite(f.fd, content, int64(offset))
		if err != nil {
			return err
		}
		offset, content = offset+n, content[n:]
	}
	return nil
}

func (f *file) seal(size int) error {
	if err := unix.Ftruncate(f.fd, int64(size)); err != nil {
		return err
	}
	const seals = unix.F_SEAL_WRITE | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	if _, err := unix.FcntlInt(uintptr(f.fd), unix.F_ADD_SEALS, seals); err != nil {
		return err
	}
	return f.view(size)
}

// view maps the file for reading.
func (f *file) view(size int) (err error) {
	if size > 0 {
		f.bytes, err = unix.Mmap(f.fd, 0, size, unix.PROT_READ, unix.MAP_SHARED)
	}
	return err
}

// mapInto makes memory, which is part of a reservation, a private copy of the
// start of the file: a page is copied when it is first written to.
func (f *file) mapInto(memory []byte) error {
	_, err := unix.MmapPtr(f.fd, 0, pointer(memory), uintptr(len(memory)), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err == nil {
		_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE)
	}
	return err
}

// data visits the parts of the file that are no holes, as offsets.
func (f *file) data(size int, visit func(start, end int)) error {
	for at := int64(0); at < int64(size); {
		start, err := unix.Seek(f.fd, at, unix.SEEK_DATA)
		if err == unix.ENXIO { // a hole up to the end
			return nil
		}
		if err != nil {
			return err
		}
		end, err := unix.Seek(f.fd, start, unix.SEEK_HOLE)
		if err != nil {
			return err
		}
		visit(int(start), min(int(end), size))
		at = end
	}
	return nil
}

func (f *file) close() {
	if f.bytes != nil {
		_ = unix.Munmap(f.bytes)
	}
	_ = unix.Close(f.fd)
}
