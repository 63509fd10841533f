package images

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"carrel/machine/image"
	"carrel/machine/page"
)

// An Info says how an image is kept.
type Info struct {
	image.Header           // zero but for the root if Damage is not nil
	Bytes        int64     // size of its file
	Base         page.Hash // the image that it is a delta to; zero for a whole one
	Depth        int       // how many deltas lead to it from a whole image
	Mapped       bool      // there is a file to map it from
	MappedBytes  int64     // what that takes on disk
	Used         time.Time // last put, got or mapped
	Damage       error     // why it cannot be got, as far as the starts of files tell: ErrDamaged
}

// Stat says how an image is kept. It reads no pages, and does not count as a use.
// Errors: ErrNotFound.
func (s *Store) Stat(root page.Hash) (*Info, error) {
	unlock, err := s.lock(unix.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("stat image: %w", err)
	}
	defer unlock()
	info, err := s.stat(root, s.record)
	if err != nil {
		return nil, fmt.Errorf("stat image: %w", err)
	}
	return info, nil
}

// List says how each image is kept, in the order of their roots. It reads no
// pages, and does not count as a use.
func (s *Store) List() ([]*Info, error) {
	unlock, err := s.lock(unix.LOCK_SH)
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	defer unlock()
	return s.list(s.records())
}

func (s *Store) list(look func(page.Hash) (*record, error)) ([]*Info, error) {
	roots, err := s.Roots()
	if err != nil {
		return nil, err
	}
	var list []*Info
	for _, root := range roots {
		info, err := s.stat(root, look)
		if errors.Is(err, ErrNotFound) { // removed meanwhile
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list images: %w", err)
		}
		list = append(list, info)
	}
	return list, nil
}

// records is record for who asks for the same ones again and again.
func (s *Store) records() func(page.Hash) (*record, error) {
	type answer struct {
		record *record
		err    error
	}
	known := map[page.Hash]answer{}
	return func(root page.Hash) (*record, error) {
		a, ok := known[root]
		if !ok {
			a.record, a.err = s.record(root)
			known[root] = a
		}
		return a.record, a.err
	}
}

func (s *Store) stat(root page.Hash, look func(page.Hash) (*record, error)) (*Info, error) {
	info := &Info{Header: image.Header{Root: root}}
	files := s.files(root)
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w", text(root), ErrNotFound)
	}
	info.Bytes, info.Used = files[0].info.Size(), files[0].info.ModTime()
	if mapped, err := os.Lstat(s.mapped(root)); err == nil && mapped.Mode().IsRegular() {
		info.Mapped, info.MappedBytes = true, allocated(mapped)
		if mapped.ModTime().After(info.Used) {
			info.Used = mapped.ModTime()
		}
	}
	own, err := look(root)
	if err == nil {
		info.Base = own.before
		info.MemoryBytes, info.Globals, info.HostBytes = own.frame.MemoryBytes, len(own.frame.Globals), len(own.frame.Host)
		var list []*record
		if list, err = chain(root, look); err == nil {
			info.Depth, info.Label = len(list)-1, *list[len(list)-1].label
		}
	}
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	info.Damage = err
	return info, nil
}

// allocated is what a file takes on disk: its holes take nothing.
func allocated(info fs.FileInfo) int64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int64(stat.Blocks) * 512
	}
	return info.Size()
}

// A file is a file of the store.
type file struct {
	path string
	info fs.FileInfo
}

// files are the files that hold an image, the one that is used first.
func (s *Store) files(root page.Hash) (list []file) {
	for _, suffix := range []string{wholeSuffix, deltaSuffix} {
		path := s.path(root, suffix)
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			list = append(list, file{path, info})
		}
	}
	return list
}

// Roots are the roots of all images, in order.
func (s *Store) Roots() ([]page.Hash, error) {
	var roots []page.Hash
	err := each(s.dir, func(name string, _ fs.FileInfo) {
		if root, suffix, ok := parseName(name); ok && suffix != "" {
			roots = append(roots, root)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("list images: %w", err)
	}
	slices.SortFunc(roots, func(a, b page.Hash) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(roots), nil
}

// each visits the regular files of a directory, if there is one.
func each(dir string, visit func(name string, info fs.FileInfo)) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if info, err := os.Lstat(filepath.Join(dir, e.Name())); err == nil && info.Mode().IsRegular() {
			visit(e.Name(), info)
		}
	}
	return err
}
