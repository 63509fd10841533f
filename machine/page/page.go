// Package page knows linear memory as pages of 4 KiB, whatever the host's page
// size: which differ, and how they hash.
package page

import "bytes"

// Size is the size of a page in bytes.
const Size = 4096

var zero [Size]byte

// lookBytesMax is how much memory is faster to read than to ask the kernel of.
const lookBytesMax = 64 << 10

// NonZero counts the pages of memory that hold anything but zeros. The length
// of memory is a multiple of Size. Memory must be private and mapped from
// nothing but zeros (a Reservation, Go's heap): pages that were never written
// are not read.
func NonZero(memory []byte) int {
	n := 0
	if len(memory) > lookBytesMax && touched(memory, func(part []byte) { n += nonZero(part) }) {
		return n
	}
	return nonZero(memory)
}

func nonZero(memory []byte) int {
	n := 0
	for ; len(memory) >= Size; memory = memory[Size:] {
		if !bytes.Equal(memory[:Size], zero[:]) {
			n++
		}
	}
	return n
}
