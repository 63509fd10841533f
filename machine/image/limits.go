package image

import (
	"fmt"

	"carrel/machine/page"
)

// Limits of an image and of what is read.
const (
	// GlobalsMax bounds the mutable globals, two for a v128, and the marks of
	// dropped segments after them.
	GlobalsMax = 1 << 19
	// HostBytesMax bounds the host region.
	HostBytesMax = 1 << 20
	// GuestBytesMax bounds the name of a guest.
	GuestBytesMax = 64
	// HeaderBytesMax bounds the header of a file and of a delta: globals, host
	// region, and room for the rest.
	HeaderBytesMax = 8*GlobalsMax + HostBytesMax + 1<<10
	// groupPages is how many pages are compressed together.
	groupPages = 16
	groupBytes = groupPages * page.Size
	// packedBytesMax bounds a compressed group: what cannot be compressed grows
	// by less than this.
	packedBytesMax = groupBytes + groupBytes/8
	// memoryUnit is what a memory's size is a multiple of.
	memoryUnit = 64 << 10
)

// Limits bound what a reader accepts beside the limits of the format.
type Limits struct {
	// MemoryBytes is the largest memory; 0 is page.ReservationBytes. A file of
	// less than a megabyte can hold so much.
	MemoryBytes uint64
}

func (l Limits) check(memory uint64) error {
	if l.MemoryBytes > 0 && memory > l.MemoryBytes {
		return fmt.Errorf("memory of %d bytes, at most %d are wanted here", memory, l.MemoryBytes)
	}
	return nil
}
