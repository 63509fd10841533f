//go:build unix

package page

import "golang.org/x/sys/unix"

func protection(open bool) int {
	if open {
		return unix.PROT_READ | unix.PROT_WRITE
	}
	return unix.PROT_NONE
}

// protect makes memory readable and writable, or neither.
func protect(bytes []byte, open bool) bool {
	return unix.Mprotect(bytes, protection(open)) == nil
}

func release(bytes []byte) { _ = unix.Munmap(bytes) }
