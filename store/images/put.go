package images

import (
	"errors"
	"fmt"
	"os"

	"carrel/machine/image"
	"carrel/machine/page"
)

// Put keeps an image whole. If it is there, there is nothing to do: it only counts
// as used now. Errors: ErrLabel.
func (s *Store) Put(img *image.Image, label *image.Label) (page.Hash, error) {
	return s.put(img, label, nil)
}

// PutAfter keeps an image that came of another: as a delta if that one is there
// with the same label, ChainMax allows it, and the delta is smaller than half of
// the whole image at the start of the chain; else whole. The cost of a delta
// follows what differs if before shares its memory with img. Errors: ErrLabel.
func (s *Store) PutAfter(img *image.Image, label *image.Label, before *image.Image) (page.Hash, error) {
	return s.put(img, label, before)
}

func (s *Store) put(img *image.Image, label *image.Label, before *image.Image) (page.Hash, error) {
	root := img.Root()
	err := func() error {
		unlock, err := s.lockToAdd()
		if err != nil {
			return err
		}
		defer unlock()
		list, err := chain(root, s.record)
		switch {
		case err == nil:
			return s.again(list, label)
		case !errors.Is(err, ErrNotFound): // damaged: the new file goes before it, or in its place
			return s.putWhole(root, img, label)
		}
		if delta := s.delta(img, label, before); delta != nil {
			return s.install(s.path(root, deltaSuffix), fileMode, func(f *os.File) error {
				_, err := f.Write(delta)
				return err
			})
		}
		return s.putWhole(root, img, label)
	}()
	if err != nil {
		return page.Hash{}, fmt.Errorf("keep image: %w", err)
	}
	return root, nil
}

// Mend reads all that is kept of an image that was put, and keeps it whole if
// that is damaged.
func (s *Store) Mend(img *image.Image, label *image.Label) error {
	root := img.Root()
	err := s.Verify(root)
	switch {
	case errors.Is(err, ErrMapped):
		return s.Discard(root)
	case !errors.Is(err, ErrDamaged):
		return err
	}
	unlock, err := s.lockToAdd()
	if err == nil {
		defer unlock()
		err = s.putWhole(root, img, label)
	}
	if err != nil {
		return fmt.Errorf("mend image: %w", err)
	}
	return nil
}

// again is what is done when the image is there.
func (s *Store) again(list []*record, label *image.Label) error {
	if was := list[len(list)-1].label; *was != *label {
		return fmt.Errorf("%w: %s, of program %v and guest %s %d; keep it in another store, or as a file",
			ErrLabel, text(list[0].frame.Root), was.Program, was.Guest, was.GuestVersion)
	}
	touch(list[0].path)
	return nil
}

func (s *Store) putWhole(root page.Hash, img *image.Image, label *image.Label) error {
	return s.install(s.path(root, wholeSuffix), fileMode, func(f *os.File) error { return image.Write(f, img, label) })
}

// delta is the delta that is worth keeping, nil if none is.
func (s *Store) delta(img *image.Image, label *image.Label, before *image.Image) []byte {
	if before == nil {
		return nil
	}
	list, err := chain(before.Root(), s.record)
	if err != nil || len(list) > ChainMax {
		return nil
	}
	whole := list[len(list)-1]
	if *whole.label != *label {
		return nil
	}
	made, err := image.Diff(before, img)
	if err != nil {
		return nil
	}
	delta := made.Append(nil)
	if int64(len(delta)) >= whole.info.Size()/2 || len(delta) > DeltaBytesMax {
		return nil
	}
	return delta
}
