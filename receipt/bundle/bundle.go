// Package bundle carries a receipt together with the bytes it names, so that
// somebody else can verify it.
//
// A bundle is a tar that every tar program reads, of a form so strict that the
// same content is always the same bytes:
//
//	+---------------------+  carrel-bundle-v1      empty: the magic
//	| 512 bytes header    |
//	+---------------------+  receipt.json          the envelope
//	| header | bytes, pad |
//	+---------------------+  blobs/sha256/<hex>    in order of their digests
//	| header | bytes, pad |
//	+---------------------+  ...
//	| 1024 zero bytes     |
//	+---------------------+
//
// It is not compressed: it is read in place, whatever its size, in little
// memory. docs/formats/bundle.md has it byte by byte.
package bundle

import "errors"

// ErrNotBundle reports a file that does not begin as a bundle does.
var ErrNotBundle = errors.New("not a bundle")

const (
	magicName   = "carrel-bundle-v1"
	receiptName = "receipt.json"
	blobPrefix  = "blobs/sha256/"
)

// Limits of a bundle.
const (
	// BlobsMax bounds the number of blobs.
	BlobsMax = 1 << 20
	// BlobBytesMax bounds one blob: what the size field of a tar header holds.
	BlobBytesMax = 1<<33 - 1
)

// Sniff reports whether a file that begins with head is a bundle. A receipt
// file begins with "{". 16 bytes are enough.
func Sniff(head []byte) bool {
	return len(head) >= len(magicName) && string(head[:len(magicName)]) == magicName
}
