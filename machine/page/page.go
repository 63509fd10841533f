// Package page knows linear memory as pages of 4 KiB, whatever the host's page
// size: which differ, and how they hash.
package page

import "bytes"

// Size is the size of a page in bytes.
const Size = 4096

var zero [Size]byte

// NonZero counts the pages of memory that hold anything but zeros. The length
// of memory is a multiple of Size.
func NonZero(memory []byte) int {
	n := 0
	for ; len(memory) >= Size; memory = memory[Size:] {
		if !bytes.Equal(memory[:Size], zero[:]) {
			n++
		}
	}
	return n
}
