// Package images keeps images in a directory, named by their roots.
//
//	<root>.image   a whole image
//	<root>.delta   a delta that leads to the image from another one of the directory
//	mapped/<root>  the pages of its memory as they are, with holes, to be mapped;
//	               made of the files above, and may be deleted at any time
//	named/<name>   the root of the image of a name: see Named
//
// <root> is 64 hexadecimal digits. What else is in the directory is left alone.
//
// A file appears whole or not at all and never changes, so processes share a
// directory; who removes something waits for those who read. The last use of an
// image is the time of its file.
//
// No file is trusted: whatever is read is checked against its root. The directory
// must be writable by its owner only all the same, since a file that is mapped
// is not checked again.
package images

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"carrel/disk"
	"carrel/machine/image"
	"carrel/machine/page"
	"carrel/program/seal"
)

const (
	// ChainMax is how many deltas lead from a whole image to another at most.
	ChainMax = 16
	// DeltaBytesMax bounds a delta that is kept or read.
	DeltaBytesMax = 1 << 30
	// PrefixMin is how many digits of a root Resolve wants at least.
	PrefixMin = 6
	// leftoverAge is how old a file in the making must be to be one of a process
	// that died. Nothing takes that long to write.
	leftoverAge = time.Hour

	wholeSuffix = ".image"
	deltaSuffix = ".delta"
	mappedDir   = "mapped"

	dirMode  = 0o700
	fileMode = 0o400
)

var (
	// ErrNotFound reports an image that is not in the store.
	ErrNotFound = errors.New("the image is not in the store")
	// ErrDigits reports what no root begins with.
	ErrDigits = fmt.Errorf("not a root, nor the start of one: that is %d to %d hexadecimal digits", PrefixMin, 2*len(page.Hash{}))
	// ErrAmbiguous reports digits that roots of several images begin with.
	ErrAmbiguous = errors.New("several images begin so")
	// ErrDamaged reports a file of the store that is not what its name says.
	ErrDamaged = errors.New("cannot be used")
	// ErrMapped reports a file of pages that are not those of the image. Discard
	// removes it; the image itself may be good.
	ErrMapped = errors.New("the pages to be mapped are damaged")
	// ErrLabel reports an image that is in the store with another label.
	ErrLabel = errors.New("the image is in the store with another label")
	// ErrNeeded reports an image that cannot be removed, since another is kept as
	// a delta to it.
	ErrNeeded = errors.New("another image is kept as a delta to it")
)

// Options of a store. The zero value is good.
type Options struct {
	Limits image.Limits // of what is read
}

// A Store is a directory of images. It is safe for concurrent use, and so is the
// directory, by several processes.
type Store struct {
	dir    string
	limits image.Limits

	// The seam for tests that crash at every operation.
	install func(name string, mode fs.FileMode, fill func(*os.File) error) error
	remove  func(name string) error
}

// Open opens the store in a directory, which is made with mode 0700 when
// something is first kept there. It fails if others may write to the directory.
func Open(dir string, options Options) (*Store, error) {
	s := &Store{dir: dir, limits: options.Limits, install: disk.Install, remove: os.Remove}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s, nil
	case err != nil:
	case !info.IsDir():
		err = fmt.Errorf("%s is not a directory", dir)
	case info.Mode().Perm()&0o022 != 0:
		err = fmt.Errorf("others may write to %s, and so could change what runs here: chmod go-w it", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open store of images: %w", err)
	}
	return s, nil
}

// Dir is the directory.
func (s *Store) Dir() string { return s.dir }

// lock keeps others from removing images (unix.LOCK_SH), or from using the store
// at all (unix.LOCK_EX). There is nothing to be locked if there is no directory.
func (s *Store) lock(how int) (unlock func(), err error) {
	dir, err := os.Open(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, err
	}
	for {
		if err = unix.Flock(int(dir.Fd()), how); err != unix.EINTR {
			break
		}
	}
	if err != nil {
		dir.Close()
		return nil, fmt.Errorf("lock %s: %w", s.dir, err)
	}
	return func() { dir.Close() }, nil
}

// lockToAdd is lock for who adds something; it makes the directory.
func (s *Store) lockToAdd() (unlock func(), err error) {
	if err := os.MkdirAll(s.dir, dirMode); err != nil {
		return nil, err
	}
	return s.lock(unix.LOCK_SH)
}

func (s *Store) path(root page.Hash, suffix string) string {
	return filepath.Join(s.dir, hex.EncodeToString(root[:])+suffix)
}

func (s *Store) mapped(root page.Hash) string {
	return filepath.Join(s.dir, mappedDir, hex.EncodeToString(root[:]))
}

// names is the shape of the names of files of images.
var names = regexp.MustCompile(`^([0-9a-f]{64})(\.image|\.delta|)$`)

// parseName is the root and the suffix of the name of a file: none of a mapped
// one.
func parseName(name string) (root page.Hash, suffix string, ok bool) {
	parts := names.FindStringSubmatch(name)
	if parts == nil {
		return root, "", false
	}
	_, _ = hex.Decode(root[:], []byte(parts[1]))
	return root, parts[2], true
}

// text is a root for people, "sha256:" and 64 digits.
func text(root page.Hash) string { return seal.Digest(root).String() }

// damaged says what is wrong with a file of the store. What the host fails at is
// no damage.
func damaged(path string, err error) error {
	failed := (*fs.PathError)(nil)
	if errors.As(err, &failed) || errors.Is(err, page.ErrNoMemory) {
		return err
	}
	return fmt.Errorf("%s: %w: %w; if it is damaged, import the image again, which replaces it", path, ErrDamaged, err)
}

// open opens a regular file; fs.ErrNotExist if there is nothing, or something
// that cannot be ours.
func open(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, unix.ELOOP) {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// touch notes that a file is used now. Who may only read does without.
func touch(path string) {
	now := time.Now()
	_ = os.Chtimes(path, now, now)
}

// Resolve finds the image whose root begins with digits, PrefixMin of them or
// more, with or without "sha256:" before them. Errors: ErrDigits, ErrNotFound,
// ErrAmbiguous.
func (s *Store) Resolve(prefix string) (page.Hash, error) {
	digits := strings.TrimPrefix(prefix, "sha256:")
	if len(digits) < PrefixMin || len(digits) > 2*len(page.Hash{}) || strings.Trim(digits, "0123456789abcdef") != "" {
		return page.Hash{}, fmt.Errorf("%q is %w", prefix, ErrDigits)
	}
	roots, err := s.Roots()
	if err != nil {
		return page.Hash{}, err
	}
	var found []page.Hash
	for _, root := range roots {
		if strings.HasPrefix(hex.EncodeToString(root[:]), digits) {
			found = append(found, root)
		}
	}
	switch len(found) {
	case 0:
		return page.Hash{}, fmt.Errorf("%s: %w", prefix, ErrNotFound)
	case 1:
		return found[0], nil
	}
	return page.Hash{}, fmt.Errorf("%s: %w: %d of them, the first two are %s and %s; give more digits", prefix, ErrAmbiguous, len(found), text(found[0]), text(found[1]))
}
