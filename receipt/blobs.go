package receipt

import (
	"errors"
	"io"

	"carrel/program/seal"
)

// ErrNoBlob reports a blob that a source does not have.
var ErrNoBlob = errors.New("no such blob")

// A BlobSource finds bytes by digest. It is safe for concurrent use.
type BlobSource interface {
	// Blob opens a blob. It returns ErrNoBlob (wrapped) if it has none by that
	// name. Reading to the end checks the digest: a reader that ends without
	// an error other than io.EOF has given exactly the bytes of that name.
	Blob(digest seal.Digest) (io.ReadCloser, error)
}
