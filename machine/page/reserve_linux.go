package page

import "golang.org/x/sys/unix"

// reserve maps address space without promising memory for it; it can be read
// and written at once if open. Huge pages are refused: a small guest would pay
// for 2 MiB at its first write, and changed pages are found by 4 KiB.
func reserve(size int, open bool) ([]byte, error) {
	bytes, err := unix.Mmap(-1, 0, size, protection(open), unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, err
	}
	_ = unix.Madvise(bytes, unix.MADV_NOHUGEPAGE) // a kernel without huge pages says EINVAL
	return bytes, nil
}

// clearPages makes memory zero again, and gives it back to the host.
func clearPages(bytes []byte) bool {
	return unix.Madvise(bytes, unix.MADV_DONTNEED) == nil
}
