//go:build unix && !linux

package page

import "golang.org/x/sys/unix"

func reserve(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
}

// clearPages is not to be had: elsewhere MADV_DONTNEED keeps the contents.
func clearPages(bytes []byte) bool { return false }

func release(bytes []byte) { _ = unix.Munmap(bytes) }
