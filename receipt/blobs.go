package receipt

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"carrel/program/seal"
)

// ErrNoBlob reports a blob that a source does not have.
var ErrNoBlob = errors.New("no such blob")

// A BlobSource finds bytes by digest. It is safe for concurrent use.
type BlobSource interface {
	// Blob opens a blob. The error wraps ErrNoBlob if the source has none of
	// that name. A source may be wrong: OpenBlob checks.
	Blob(digest seal.Digest) (io.ReadCloser, error)
}

// OpenBlob opens a blob of a source and checks it as it is read: whoever reads
// to the end without an error has had exactly the bytes of that digest. The
// empty blob is always there.
func OpenBlob(source BlobSource, blob Blob) (io.ReadCloser, error) {
	if blob == NewBlob(nil) {
		return io.NopCloser(strings.NewReader("")), nil
	}
	content, err := source.Blob(blob.Digest)
	if err != nil {
		return nil, err
	}
	return CheckBlob(content, blob), nil
}

// ReadBlob reads a whole blob into memory and checks it. It is for blobs of at
// most bytesMax bytes.
func ReadBlob(source BlobSource, blob Blob, bytesMax uint64) ([]byte, error) {
	if blob.Size > bytesMax {
		return nil, fmt.Errorf("read blob %s: %d bytes, at most %d", blob.Digest, blob.Size, bytesMax)
	}
	content, err := OpenBlob(source, blob)
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	data, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return nil, fmt.Errorf("read blob %s: %w", blob.Digest, err)
	}
	return data, nil
}

// CheckBlob makes a reader that gives an error instead of io.EOF unless what
// was read is exactly the blob. It never gives more than the blob's size.
func CheckBlob(content io.ReadCloser, blob Blob) io.ReadCloser {
	return &checked{content: content, blob: blob, hasher: seal.NewHasher()}
}

type checked struct {
	content io.ReadCloser
	blob    Blob
	hasher  *seal.Hasher
}

func (c *checked) Read(p []byte) (int, error) {
	n, err := c.content.Read(p)
	c.hasher.Write(p[:n])
	if c.hasher.Size() > c.blob.Size {
		return 0, fmt.Errorf("blob %s: more than %d bytes", c.blob.Digest, c.blob.Size)
	}
	if errors.Is(err, io.EOF) {
		if got := (Blob{c.hasher.Digest(), c.hasher.Size()}); got != c.blob {
			return n, fmt.Errorf("blob %s: the bytes are %s", c.blob, got)
		}
	}
	return n, err
}

func (c *checked) Close() error { return c.content.Close() }

// Sources asks several sources in order; the first that has a blob gives it.
type Sources []BlobSource

// Blob returns ErrNoBlob (wrapped) if no source has it, and the first other
// error if there was one.
func (s Sources) Blob(digest seal.Digest) (io.ReadCloser, error) {
	err := fmt.Errorf("%s: %w", digest, ErrNoBlob)
	for _, source := range s {
		content, failure := source.Blob(digest)
		if failure == nil {
			return content, nil
		}
		if !errors.Is(failure, ErrNoBlob) && errors.Is(err, ErrNoBlob) {
			err = failure
		}
	}
	return nil, err
}

// Tree is a directory of blobs, each in a file named by the 64 digits of its
// digest, as in blobs/sha256 of an unpacked bundle.
type Tree struct{ fs.FS }

// Blob opens the file of that name.
func (t Tree) Blob(digest seal.Digest) (io.ReadCloser, error) {
	file, err := t.FS.Open(digest.Hex())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", digest, ErrNoBlob)
	}
	return file, err
}

// Blobs are the bytes that it takes to run the turn again, each once: program,
// stdin, tars and files handed in, files read. Empty ones are left out:
// everybody has them.
func (in *Input) Blobs() []Blob {
	blobs := []Blob{in.Program, in.Stdin.Blob}
	if in.ImageFile != nil {
		blobs = append(blobs, *in.ImageFile)
	}
	for _, mount := range in.Mounts {
		blobs = appendContent(blobs, mount.Content)
		for _, o := range mount.Observed {
			if !o.Digest.IsZero() {
				blobs = append(blobs, Blob{o.Digest, o.Size})
			}
		}
	}
	return distinct(blobs)
}

// Blobs are the bytes that came out, each once: stdout, stderr, tars and files
// written. Nobody needs them to verify. Empty ones are left out.
func (r *Result) Blobs() []Blob {
	blobs := []Blob{r.Stdout, r.Stderr}
	for _, write := range r.Writes {
		blobs = appendContent(blobs, write.Content)
		for _, change := range write.Changes {
			blobs = appendContent(blobs, change.Content)
		}
	}
	return distinct(blobs)
}

func appendContent(blobs []Blob, content *Blob) []Blob {
	if content == nil {
		return blobs
	}
	return append(blobs, *content)
}

// distinct sorts blobs by digest and drops repeated and empty ones.
func distinct(blobs []Blob) []Blob {
	slices.SortFunc(blobs, func(a, b Blob) int { return slices.Compare(a.Digest[:], b.Digest[:]) })
	blobs = slices.Compact(blobs)
	return slices.DeleteFunc(blobs, func(b Blob) bool { return b.Size == 0 })
}
