package bundle

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"carrel/program/seal"
	"carrel/receipt"
)

// A Bundle is an open bundle: a receipt, and a source of the blobs that came
// with it. It reads from the file it was opened on, which must stay open. It is
// safe for concurrent use if that file is.
type Bundle struct {
	Envelope  *seal.Envelope
	Statement receipt.Statement

	file  io.ReaderAt
	blobs map[seal.Digest]extent
	order []receipt.Blob
}

// An extent is where a blob is in the file.
type extent struct{ offset, size int64 }

// Open reads a bundle of size bytes and checks all of it: every header, the
// order of entries, every digest, that the receipt names every blob, that
// nothing follows the end. It keeps the receipt in memory and for each blob
// only where it is. The signatures of the receipt are not checked.
//
// The error wraps ErrNotBundle if the file does not begin as a bundle does.
func Open(file io.ReaderAt, size int64) (*Bundle, error) {
	bundle, err := open(file, size)
	if err != nil {
		return nil, fmt.Errorf("open bundle: %w", err)
	}
	return bundle, nil
}

func open(file io.ReaderAt, size int64) (*Bundle, error) {
	c := &cursor{file: file, size: size}
	var head [len(magicName)]byte
	if _, err := file.ReadAt(head[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !Sniff(head[:]) {
		return nil, ErrNotBundle
	}
	if err := c.magic(); err != nil {
		return nil, err
	}
	bundle := &Bundle{file: file, blobs: map[seal.Digest]extent{}}
	text, err := c.receipt()
	if err != nil {
		return nil, err
	}
	if bundle.Statement, bundle.Envelope, err = receipt.Open(text); err != nil {
		return nil, err
	}
	if err := bundle.index(c); err != nil {
		return nil, err
	}
	return bundle, c.end()
}

// index reads the entries of blobs up to the end mark.
func (b *Bundle) index(c *cursor) error {
	sizes := named(b.Statement)
	var last seal.Digest
	for {
		name, at, err := c.next()
		if err != nil || name == "" {
			return err
		}
		digits, ok := strings.CutPrefix(name, blobPrefix)
		if !ok {
			return fmt.Errorf("unexpected entry %q", name)
		}
		digest, err := seal.ParseHex(digits)
		if err != nil {
			return fmt.Errorf("entry %q: %w", name, err)
		}
		want, ok := sizes[digest]
		switch {
		case string(digest[:]) <= string(last[:]):
			return fmt.Errorf("entry %q is out of order or there twice", name)
		case len(b.blobs) == BlobsMax:
			return fmt.Errorf("more than %d blobs", BlobsMax)
		case !ok:
			return fmt.Errorf("entry %q is not named by the receipt", name)
		case uint64(at.size) != want:
			return fmt.Errorf("entry %q has %d bytes, the receipt says %d", name, at.size, want)
		}
		last = digest
		b.blobs[digest] = at
		b.order = append(b.order, receipt.Blob{Digest: digest, Size: want})
		if err := b.check(digest); err != nil {
			return fmt.Errorf("entry %q: %w", name, err)
		}
	}
}

// check reads a blob once, to see that its bytes are those of its name.
func (b *Bundle) check(digest seal.Digest) error {
	content, err := b.Blob(digest)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, content)
	return errors.Join(err, content.Close())
}

// Blob opens a blob of the bundle. Its digest is checked again as it is read.
func (b *Bundle) Blob(digest seal.Digest) (io.ReadCloser, error) {
	at, ok := b.blobs[digest]
	if !ok {
		return nil, fmt.Errorf("bundle: blob %s: %w", digest, receipt.ErrNoBlob)
	}
	content := io.NewSectionReader(b.file, at.offset, at.size)
	return receipt.CheckBlob(io.NopCloser(content), receipt.Blob{Digest: digest, Size: uint64(at.size)}), nil
}

// Blobs are the blobs of the bundle, in order of their digests.
func (b *Bundle) Blobs() []receipt.Blob { return b.order }
