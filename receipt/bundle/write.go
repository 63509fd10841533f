package bundle

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"carrel/program/seal"
	"carrel/receipt"
)

// Write writes a bundle of the receipt in an envelope and the blobs named,
// which the source must have. They may be in any order and repeat; each must be
// named by the receipt (receipt.Blobs). The same envelope and the
// same set of blobs always give the same bytes. No signature is checked.
//
// After an error what was written is no bundle.
func Write(w io.Writer, envelope *seal.Envelope, blobs []receipt.Blob, source receipt.BlobSource) error {
	if err := write(w, envelope, blobs, source); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

func write(w io.Writer, envelope *seal.Envelope, blobs []receipt.Blob, source receipt.BlobSource) error {
	s, err := receipt.FromEnvelope(envelope)
	if err != nil {
		return err
	}
	file, err := envelope.Encode()
	if err != nil {
		return err
	}
	blobs, err = arrange(s, blobs)
	if err != nil {
		return err
	}
	if err := writeEntry(w, magicName, nil); err != nil {
		return err
	}
	if err := writeEntry(w, receiptName, file); err != nil {
		return err
	}
	for _, blob := range blobs {
		if err := writeBlob(w, blob, source); err != nil {
			return fmt.Errorf("blob %s: %w", blob.Digest, err)
		}
	}
	_, err = w.Write(make([]byte, 2*blockBytes))
	return err
}

// arrange sorts blobs by digest, each once, and checks that the receipt names
// them so.
func arrange(s receipt.Statement, blobs []receipt.Blob) ([]receipt.Blob, error) {
	blobs = slices.Clone(blobs)
	slices.SortFunc(blobs, func(a, b receipt.Blob) int { return slices.Compare(a.Digest[:], b.Digest[:]) })
	blobs = slices.Compact(blobs)
	if len(blobs) > BlobsMax {
		return nil, fmt.Errorf("%d blobs, at most %d", len(blobs), BlobsMax)
	}
	sizes := named(s)
	for _, blob := range blobs {
		size, ok := sizes[blob.Digest]
		switch {
		case !ok:
			return nil, fmt.Errorf("blob %s is not named by the receipt", blob.Digest)
		case size != blob.Size:
			return nil, fmt.Errorf("blob %s has %d bytes, the receipt says %d", blob.Digest, blob.Size, size)
		case size > BlobBytesMax:
			return nil, fmt.Errorf("blob %s has %d bytes, at most %d", blob.Digest, size, int64(BlobBytesMax))
		}
	}
	return blobs, nil
}

// named are the sizes of the blobs that a receipt names.
func named(s receipt.Statement) map[seal.Digest]uint64 {
	sizes := map[seal.Digest]uint64{}
	for _, blob := range receipt.Blobs(s) {
		sizes[blob.Digest] = blob.Size
	}
	return sizes
}

func writeEntry(w io.Writer, name string, data []byte) error {
	head := header(name, int64(len(data)))
	for _, part := range [][]byte{head[:], data, zeroBlock[:padding(int64(len(data)))]} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

func writeBlob(w io.Writer, blob receipt.Blob, source receipt.BlobSource) error {
	content, err := receipt.OpenBlob(source, blob)
	if err != nil {
		return err
	}
	head := header(blobPrefix+blob.Digest.Hex(), int64(blob.Size))
	_, err = w.Write(head[:])
	if err == nil {
		_, err = io.Copy(w, content)
	}
	if err == nil {
		_, err = w.Write(zeroBlock[:padding(int64(blob.Size))])
	}
	return errors.Join(err, content.Close())
}
