package images

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"carrel/machine/image"
	"carrel/machine/page"
)

// extentUnit is what the length of a mapped file is a multiple of: it is what
// page.OpenSnapshot wants.
const extentUnit = 64 << 10

// Map gives an image whose memory is mapped from a file, so that nothing is read
// before it is needed: what comes of it must wait for its Verify. The file is
// made when an image is first mapped; if it cannot be, the disk being full, say,
// the image is read as Get does. If Verify says that it is bad, Discard removes it,
// and the next Map makes it again. It counts as a use. Errors: ErrNotFound,
// ErrDamaged.
func (s *Store) Map(root page.Hash) (*image.Image, *image.Label, error) {
	img, label, err := s.mapImage(root)
	if err != nil {
		return nil, nil, fmt.Errorf("map image: %w", err)
	}
	return img, label, nil
}

func (s *Store) mapImage(root page.Hash) (*image.Image, *image.Label, error) {
	unlock, err := s.lock(unix.LOCK_SH)
	if err != nil {
		return nil, nil, err
	}
	defer unlock()
	list, err := chain(root, s.record)
	if err != nil {
		return nil, nil, err
	}
	frame, label := list[0].frame, list[len(list)-1].label
	if err := s.fits(frame); err != nil {
		return nil, nil, err
	}
	touch(list[0].path)
	if frame.MemoryBytes == 0 {
		return frame.With(nil), label, nil
	}
	memory, err := s.openMapped(root, frame.MemoryBytes)
	if err != nil { // not there, or not even long enough
		img, err := s.read(list)
		if err != nil {
			return nil, nil, err
		}
		if err = s.spread(img); err == nil {
			memory, err = s.openMapped(root, frame.MemoryBytes)
		}
		if err != nil {
			return img, label, nil
		}
	}
	touch(s.mapped(root))
	return frame.With(memory), label, nil
}

// openMapped maps the mapped file of an image; fs.ErrNotExist if there is none.
func (s *Store) openMapped(root page.Hash, size uint64) (*page.Snapshot, error) {
	f, _, err := open(s.mapped(root))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: f.Name(), Err: err}
	}
	return page.OpenSnapshot(fd, size)
}

// spread makes the mapped file of an image.
func (s *Store) spread(img *image.Image) error {
	path := s.mapped(img.Root())
	if err := os.Mkdir(filepath.Dir(path), dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.install(path, fileMode, func(f *os.File) error {
		extent, err := int64(0), error(nil)
		img.Memory.Each(func(n int, content []byte) bool {
			at := int64(n) * page.Size
			extent = (at/extentUnit + 1) * extentUnit
			_, err = f.WriteAt(content, at)
			return err == nil
		})
		if err != nil {
			return err
		}
		return f.Truncate(extent)
	})
}

// Discard removes the file that an image is mapped from, if there is one. Who has
// it mapped is not disturbed.
func (s *Store) Discard(root page.Hash) error {
	if err := s.remove(s.mapped(root)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discard mapped pages: %w", err)
	}
	return nil
}
