package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"carrel/home"
	"carrel/program/seal"
	"carrel/receipt"
)

// keepBytesMax is how much of what one run reads is kept.
const keepBytesMax = 1 << 30

// A keepsake keeps what a program reads in this user's blobs, so that its
// receipt can be verified later and exported. Bytes that might not be found
// again are copied: standard input, files in directories. Programs and tars are
// only linked to.
type keepsake struct {
	dir   string // of blobs, named by the digits of their digests
	stdin *os.File
	left  int64 // of keepBytesMax
	full  bool  // something was not kept
}

func newKeepsake(h home.Home) (*keepsake, error) {
	k := &keepsake{dir: blobDir(h), left: keepBytesMax}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return nil, fmt.Errorf("keep inputs: %w", err)
	}
	var err error
	if k.stdin, err = os.CreateTemp(k.dir, ".stdin-*"); err != nil {
		return nil, fmt.Errorf("keep inputs: %w", err)
	}
	return k, nil
}

func blobDir(h home.Home) string { return filepath.Join(h.Blobs, "sha256") }

// blobsOf are the blobs that this user has kept.
func blobsOf(h home.Home) receipt.BlobSource { return receipt.Tree{FS: os.DirFS(blobDir(h))} }

// Close removes what was not kept.
func (k *keepsake) Close() error {
	return errors.Join(k.stdin.Close(), remove(k.stdin.Name()))
}

func remove(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// tee keeps what is read from standard input as it goes by.
func (k *keepsake) tee(stdin io.Reader) io.Reader { return &tee{stdin, k} }

type tee struct {
	io.Reader
	keep *keepsake
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	if n > 0 && t.keep.take(int64(n)) {
		if _, failure := t.keep.stdin.Write(p[:n]); failure != nil {
			return n, fmt.Errorf("keep standard input: %w", failure)
		}
	}
	return n, err
}

// take reports whether so many bytes more may be kept.
func (k *keepsake) take(n int64) bool {
	if k.full || n > k.left {
		k.full = true
		return false
	}
	k.left -= n
	return true
}

// file keeps a file that the program read.
func (k *keepsake) file(digest string, content []byte) error {
	d, err := seal.ParseDigest(digest)
	if err != nil {
		return err
	}
	name := filepath.Join(k.dir, d.Hex())
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
		return nil
	}
	if !k.take(int64(len(content))) {
		return nil
	}
	return writePrivate(name, content)
}

// link remembers where on this host a blob is.
func (k *keepsake) link(digest seal.Digest, path string) error {
	name := filepath.Join(k.dir, digest.Hex())
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() {
		return nil
	}
	if err := remove(name); err != nil { // a link to where it was once
		return err
	}
	if err := os.Symlink(path, name); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return nil
}

// warn says that something was not kept.
func (k *keepsake) warn(stderr io.Writer) {
	if k.full {
		fmt.Fprintf(stderr, "carrel: more than %s was read: not all of it is kept, and carrel verify will ask for it\n", bytesOf(keepBytesMax))
	}
}

// finish keeps standard input: the bytes that the program took, of those that
// were read for it.
func (k *keepsake) finish(stdin receipt.Stdin) error {
	if k.full || stdin.Size == 0 {
		return nil
	}
	err := errors.Join(k.stdin.Truncate(int64(stdin.Size)), k.stdin.Sync())
	if err != nil {
		return fmt.Errorf("keep standard input: %w", err)
	}
	return os.Rename(k.stdin.Name(), filepath.Join(k.dir, stdin.Digest.Hex()))
}
