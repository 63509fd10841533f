// Package disk is the seam to the host's files: it reads directories as trees
// that are handed to programs, and writes back what programs changed.
//
// Whatever symbolic links a directory holds, nothing outside of it is read or
// written. Sources and Apply are for one goroutine at a time.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"carrel/tree"
)

// A Source is a directory of the host, or a single file, as a tree.Tree. It
// looks at nothing before it is asked.
type Source struct {
	root *os.Root // nil for a single file
	path string   // of a single file
}

// Open opens a directory or a regular file as a tree. The path itself may lead
// through symbolic links: it is the caller's.
func Open(path string) (*Source, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Mode().IsRegular():
		return &Source{path: path}, nil
	case !info.IsDir():
		return nil, fmt.Errorf("open %s: a %v cannot be handed to a program", path, kindOf(info.Mode()))
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &Source{root: root}, nil
}

// Close releases the directory.
func (s *Source) Close() error {
	if s.root == nil {
		return nil
	}
	return s.root.Close()
}

func kindOf(mode fs.FileMode) tree.Kind {
	switch mode.Type() {
	case 0:
		return tree.File
	case fs.ModeDir:
		return tree.Dir
	case fs.ModeSymlink:
		return tree.Link
	}
	return tree.Other
}

// Stat gives what is at name, and the size of a file.
func (s *Source) Stat(name string) (tree.Kind, int64, error) {
	info, err := s.lstat(name)
	if err != nil {
		return tree.Absent, 0, err
	}
	if kind := kindOf(info.Mode()); kind != tree.File {
		return kind, 0, nil
	}
	return tree.File, info.Size(), nil
}

func (s *Source) lstat(name string) (fs.FileInfo, error) {
	switch {
	case s.root != nil:
		return s.root.Lstat(name)
	case name == ".":
		return os.Stat(s.path)
	}
	return nil, fs.ErrNotExist
}

// listBatch is how many entries of a directory are read at once.
const listBatch = 1024

// List gives the entries of a directory; an error if there are more than limit.
func (s *Source) List(name string, limit int) ([]tree.Entry, error) {
	f, err := s.open(name, syscall.O_DIRECTORY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var entries []tree.Entry
	for {
		batch, err := f.ReadDir(listBatch)
		for _, e := range batch {
			entries = append(entries, tree.Entry{Name: e.Name(), Kind: kindOf(e.Type())})
		}
		switch {
		case len(entries) > limit:
			return nil, fmt.Errorf("more than %d entries", limit)
		case errors.Is(err, io.EOF):
			return entries, nil
		case err != nil:
			return nil, err
		}
	}
}

// Link gives the target of a symbolic link.
func (s *Source) Link(name string) (string, error) {
	if s.root == nil {
		return "", fs.ErrInvalid
	}
	return s.root.Readlink(name)
}

// Read gives the content of a file: all of it if it has size bytes, else one
// byte more than size, or less.
func (s *Source) Read(name string, size int64) ([]byte, error) {
	f, err := s.open(name, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content := make([]byte, size+1)
	n, err := io.ReadFull(f, content)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return content[:n:n], nil
}

var errSwapped = errors.New("was replaced while it was opened")

// open opens what is at name, a file or a directory, and nothing that a link
// there leads to. It does not wait for what has no other end.
func (s *Source) open(name string, flag int) (*os.File, error) {
	f, err := s.openAny(name, os.O_RDONLY|syscall.O_NONBLOCK|flag)
	if err != nil {
		return nil, err
	}
	opened, err := f.Stat()
	if err == nil {
		var found fs.FileInfo
		found, err = s.lstat(name)
		if err == nil && (!os.SameFile(opened, found) || kindOf(opened.Mode()) == tree.Other) {
			err = errSwapped
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (s *Source) openAny(name string, flag int) (*os.File, error) {
	switch {
	case s.root != nil:
		return s.root.OpenFile(name, flag, 0)
	case name == ".":
		return os.OpenFile(s.path, flag, 0)
	}
	return nil, fs.ErrNotExist
}
