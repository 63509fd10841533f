//go:build unix && !linux

package page

import "golang.org/x/sys/unix"

func reserve(size int, open bool) ([]byte, error) {
	return unix.Mmap(-1, 0, size, protection(open), unix.MAP_PRIVATE|unix.MAP_ANON)
}

// clearPages is not to be had: elsewhere MADV_DONTNEED keeps the contents.
func clearPages(bytes []byte) bool { return false }
