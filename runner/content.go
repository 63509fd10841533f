package runner

import (
	"fmt"
	"io/fs"

	"carrel/guest/posix/tar"
	"carrel/receipt"
	"carrel/tree"
)

// ContentTree is the tree in a tar, or the one file of a mounted file.
func ContentTree(kind string, content []byte) (tree.Tree, error) {
	switch kind {
	case receipt.MountTar:
		return tar.Open(content)
	case receipt.MountFile:
		return single(content), nil
	}
	return nil, fmt.Errorf("a mount of kind %s has no content of its own", kind)
}

// single is a tree of one file.
type single []byte

func (f single) Stat(name string) (tree.Kind, int64, error) {
	if name != "." {
		return 0, 0, fs.ErrNotExist
	}
	return tree.File, int64(len(f)), nil
}

func (f single) Read(name string, _ int64) ([]byte, error) {
	if name != "." {
		return nil, fs.ErrNotExist
	}
	return f, nil
}

func (single) List(string, int) ([]tree.Entry, error) { return nil, fs.ErrNotExist }
func (single) Link(string) (string, error)            { return "", fs.ErrNotExist }
