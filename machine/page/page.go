// Package page knows linear memory as pages of 4 KiB, whatever the host's page
// size: it maps them, finds which were changed, keeps them and hashes them.
package page

// Size is the size of a page in bytes.
const Size = 4096

var zero [Size]byte

// lookBytesMax is how much memory is faster to read than to ask the kernel of.
const lookBytesMax = 64 << 10
