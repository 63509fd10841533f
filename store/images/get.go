package images

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"golang.org/x/sys/unix"

	"carrel/machine/image"
	"carrel/machine/page"
)

// A record is what the start of a file says about an image.
type record struct {
	path   string
	info   fs.FileInfo
	frame  *image.Frame
	label  *image.Label // nil for a delta
	before page.Hash    // of a delta: which image it begins at
}

// record reads the start of the file of an image. Errors: ErrNotFound,
// ErrDamaged.
func (s *Store) record(root page.Hash) (*record, error) {
	r := &record{path: s.path(root, wholeSuffix)}
	f, info, err := open(r.path)
	whole := err == nil
	if errors.Is(err, fs.ErrNotExist) {
		r.path = s.path(root, deltaSuffix)
		f, info, err = open(r.path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", text(root), ErrNotFound)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r.info = info
	if whole {
		r.frame, r.label, err = image.ReadFrame(f)
	} else {
		r.frame, r.before, err = image.ReadDeltaFrame(f)
	}
	if err == nil && r.frame.Root != root {
		err = fmt.Errorf("it holds %s", text(r.frame.Root))
	}
	if err != nil {
		return nil, damaged(r.path, err)
	}
	return r, nil
}

// chain is how an image is kept: its own record and those of the images that it
// is a delta to, down to a whole one. Errors: ErrNotFound, ErrDamaged.
func chain(root page.Hash, look func(page.Hash) (*record, error)) (list []*record, err error) {
	for {
		r, err := look(root)
		if errors.Is(err, ErrNotFound) && len(list) > 0 {
			return nil, damaged(list[len(list)-1].path, fmt.Errorf("it is a delta to %s, which is not there", text(root)))
		}
		if err != nil {
			return nil, err
		}
		list = append(list, r)
		if r.label != nil {
			return list, nil
		}
		if len(list) > ChainMax {
			return nil, damaged(list[0].path, fmt.Errorf("it is more than %d deltas away from a whole image", ChainMax))
		}
		root = r.before
	}
}

// Get reads an image, which counts as used now. Errors: ErrNotFound, ErrDamaged.
func (s *Store) Get(root page.Hash) (*image.Image, *image.Label, error) {
	unlock, err := s.lock(unix.LOCK_SH)
	if err != nil {
		return nil, nil, fmt.Errorf("get image: %w", err)
	}
	defer unlock()
	list, err := chain(root, s.record)
	if err == nil {
		err = s.fits(list[0].frame)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get image: %w", err)
	}
	img, err := s.read(list)
	if err != nil {
		return nil, nil, fmt.Errorf("get image: %w", err)
	}
	touch(list[0].path)
	return img, list[len(list)-1].label, nil
}

// fits reports an image that is larger than is wanted, which is no damage.
func (s *Store) fits(frame *image.Frame) error {
	if limit := s.limits.MemoryBytes; limit > 0 && frame.MemoryBytes > limit {
		return fmt.Errorf("%s has a memory of %d bytes, at most %d are wanted here", text(frame.Root), frame.MemoryBytes, limit)
	}
	return nil
}

// read reads a whole image and applies the deltas.
func (s *Store) read(list []*record) (*image.Image, error) {
	var img *image.Image
	for _, r := range slices.Backward(list) {
		var err error
		if r.label != nil {
			img, err = s.readWhole(r)
		} else {
			img, err = s.readDelta(r, img)
		}
		if err == nil && img.Root() != r.frame.Root { // it was replaced meanwhile
			err = fmt.Errorf("it holds %s", img.RootString())
		}
		if err != nil {
			return nil, damaged(r.path, err)
		}
	}
	return img, nil
}

func (s *Store) readWhole(r *record) (*image.Image, error) {
	f, _, err := open(r.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, _, err := image.Read(f, s.limits)
	return img, err
}

func (s *Store) readDelta(r *record, before *image.Image) (*image.Image, error) {
	f, info, err := open(r.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info.Size() > DeltaBytesMax {
		return nil, fmt.Errorf("it has %d bytes, the limit for a delta is %d", info.Size(), DeltaBytesMax)
	}
	content, err := io.ReadAll(io.LimitReader(f, DeltaBytesMax))
	if err != nil {
		return nil, err
	}
	delta, err := image.ReadDelta(content, s.limits)
	if err != nil {
		return nil, err
	}
	return delta.Apply(before)
}

// Verify reads all that is kept of an image, and checks it. It does not count as
// a use. Errors: ErrNotFound, ErrDamaged; ErrMapped if it is only the mapped file
// that is bad.
func (s *Store) Verify(root page.Hash) error {
	unlock, err := s.lock(unix.LOCK_SH)
	if err != nil {
		return fmt.Errorf("verify image: %w", err)
	}
	defer unlock()
	list, err := chain(root, s.record)
	if err == nil {
		_, err = s.read(list)
	}
	if err != nil {
		return fmt.Errorf("verify image: %w", err)
	}
	frame := list[0].frame
	memory, err := s.openMapped(root, frame.MemoryBytes)
	if err == nil {
		err = frame.With(memory).Verify()
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("verify image: %s: %w: %w", s.mapped(root), ErrMapped, err)
	}
	return nil
}
