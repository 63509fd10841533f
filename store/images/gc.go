package images

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"carrel/disk"
	"carrel/machine/page"
)

// Delete removes an image. Errors: ErrNotFound, ErrNeeded.
func (s *Store) Delete(root page.Hash) error {
	if err := s.delete(root); err != nil {
		return fmt.Errorf("delete image: %w", err)
	}
	return nil
}

func (s *Store) delete(root page.Hash) error {
	unlock, err := s.lock(unix.LOCK_EX)
	if err != nil {
		return err
	}
	defer unlock()
	files := s.files(root)
	if len(files) == 0 {
		return fmt.Errorf("%s: %w", text(root), ErrNotFound)
	}
	roots, err := s.Roots()
	if err != nil {
		return err
	}
	for _, other := range roots {
		if r, err := s.record(other); err == nil && r.label == nil && r.before == root {
			return fmt.Errorf("%s: %w: delete %s first", text(root), ErrNeeded, text(other))
		}
	}
	if err := s.Discard(root); err != nil {
		return err
	}
	for _, f := range files {
		if err := s.remove(f.path); err != nil {
			return err
		}
	}
	return s.sync()
}

// sync makes what was removed stay removed.
func (s *Store) sync() error {
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// A Removal is a file that GC has removed, or would remove.
type Removal struct {
	Path  string // in the directory
	Bytes int64  // that it takes on disk
}

// GC removes what was not used for a time: images, unless one that is kept is a
// delta to them, and files to map them from; and what processes that died left
// behind. With dryRun it only says what it would remove.
//
// If it cannot be told what a delta that is kept needs, no image is removed, and
// the error, ErrDamaged, names the file.
func (s *Store) GC(olderThan time.Duration, dryRun bool) ([]Removal, error) {
	unlock, err := s.lock(unix.LOCK_EX)
	if err != nil {
		return nil, fmt.Errorf("collect garbage: %w", err)
	}
	defer unlock()
	now := time.Now()
	doomed, err := s.doomed(now.Add(-olderThan), now.Add(-leftoverAge))
	var done []Removal
	for _, f := range doomed {
		if !dryRun {
			if failed := s.remove(f.path); failed != nil {
				err = errors.Join(err, failed)
				break // what it needs must stay
			}
		}
		path, _ := filepath.Rel(s.dir, f.path)
		done = append(done, Removal{path, allocated(f.info)})
	}
	if len(done) > 0 && !dryRun {
		err = errors.Join(err, s.sync())
	}
	if err != nil {
		return done, fmt.Errorf("collect garbage: %w", err)
	}
	return done, nil
}

// doomed are the files to be removed, in an order in which a crash leaves nothing
// that needs what is gone.
func (s *Store) doomed(unused, left time.Time) (list []file, err error) {
	look := s.records()
	infos, err := s.list(look)
	if err != nil {
		return nil, err
	}
	keep := map[page.Hash]bool{}
	var unknown error
	for _, info := range infos {
		if info.Used.Before(unused) {
			continue
		}
		keep[info.Root] = true
		for root := info.Root; ; keep[root] = true {
			r, err := look(root)
			if err != nil && len(s.files(root)) > 0 && filepath.Ext(s.files(root)[0].path) == deltaSuffix {
				unknown = err
			}
			if err != nil || r.label != nil || keep[r.before] {
				break
			}
			root = r.before
		}
	}
	gone := map[page.Hash]bool{}
	slices.SortStableFunc(infos, func(a, b *Info) int { return cmp.Compare(b.Depth, a.Depth) }) // deltas before what they begin at
	for _, info := range infos {
		if gone[info.Root] = !keep[info.Root] && unknown == nil; gone[info.Root] {
			list = append(list, s.files(info.Root)...)
		}
	}
	mapped, err := s.others(left, func(root page.Hash, info fs.FileInfo) bool {
		return gone[root] || info.ModTime().Before(unused)
	})
	return append(mapped, list...), errors.Join(unknown, err)
}

// others are mapped files that are to go, and what was left behind before a time.
func (s *Store) others(left time.Time, old func(page.Hash, fs.FileInfo) bool) (list []file, err error) {
	for _, dir := range []string{s.dir, filepath.Join(s.dir, mappedDir)} {
		failed := each(dir, func(name string, info fs.FileInfo) {
			root, suffix, ok := parseName(name)
			switch {
			case disk.Staged(name) && info.ModTime().Before(left):
			case dir != s.dir && ok && suffix == "" && old(root, info):
			default:
				return
			}
			list = append(list, file{filepath.Join(dir, name), info})
		})
		err = errors.Join(err, failed)
	}
	return list, err
}
