// Package tar reads tar images as trees of files, and writes trees as tar
// images that are the same bytes for the same tree.
//
// An image is untrusted: whatever it says, reading it gives a tree that lies
// within itself, or an error, and takes memory in proportion to the image.
package tar

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"carrel/tree"
)

// Limits of an image.
const (
	EntriesMax   = 1 << 20 // files, directories and links, with implied directories
	PathBytesMax = 4096    // of a name or a link's target
)

// An Image is the tree in a tar image. It is a tree.Tree.
type Image struct {
	nodes map[string]*node
}

// A node is a file, directory or link of an image.
type node struct {
	name     string // last name of its path
	kind     tree.Kind
	data     []byte // shares the image
	target   string
	children []*node // of a directory, in the order of the image
}

// Open reads an image, which must not change afterwards. An image that is
// damaged, that names something outside of itself, names a path twice (a
// directory may be repeated), or holds devices, pipes, sparse files or
// compressed data is refused.
func Open(image []byte) (*Image, error) {
	if err := uncompressed(image); err != nil {
		return nil, fmt.Errorf("read tar: %w", err)
	}
	t := &Image{nodes: map[string]*node{".": {name: ".", kind: tree.Dir}}}
	source := bytes.NewReader(image)
	reader := tar.NewReader(source)
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return t, ended(image[:len(image)-source.Len()])
		}
		if err != nil {
			return nil, fmt.Errorf("read tar at byte %d: %w", len(image)-source.Len(), err)
		}
		if err := t.add(header, image[len(image)-source.Len():]); err != nil {
			return nil, fmt.Errorf("read tar: %q: %w", header.Name, err)
		}
	}
}

func uncompressed(image []byte) error {
	for magic, name := range map[string]string{"\x1f\x8b": "gzip", "BZh": "bzip2", "\xfd7zXZ": "xz", "\x28\xb5\x2f\xfd": "zstd"} {
		if bytes.HasPrefix(image, []byte(magic)) {
			return fmt.Errorf("compressed with %s: unpack it first", name)
		}
	}
	return nil
}

const blockBytes = 512

// ended reports an image that was cut off where an entry ends: it lacks the
// blocks of zeros at its end. No bytes at all are an empty tree.
func ended(read []byte) error {
	if len(read) == 0 || len(read) >= blockBytes && bytes.Equal(read[len(read)-blockBytes:], make([]byte, blockBytes)) {
		return nil
	}
	return errors.New("read tar: the image has no end: it was cut short")
}

// add enters what a header describes; rest is the image after it.
func (t *Image) add(header *tar.Header, rest []byte) error {
	name, err := cleanName(header.Name)
	if err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		_, err := t.directory(name)
		return err
	case tar.TypeReg:
		return t.addFile(name, header, rest)
	case tar.TypeSymlink:
		if err := checkTarget(header.Linkname); err != nil {
			return err
		}
		return t.put(name, &node{kind: tree.Link, target: header.Linkname})
	case tar.TypeLink:
		return t.addHardLink(name, header.Linkname)
	default:
		return fmt.Errorf("type %q is not a file, directory or link", header.Typeflag)
	}
}

func (t *Image) addFile(name string, header *tar.Header, rest []byte) error {
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return errors.New("sparse files are not supported")
		}
	}
	if header.Size < 0 || header.Size > int64(len(rest)) {
		return fmt.Errorf("says it has %d bytes, the image has %d left", header.Size, len(rest))
	}
	return t.put(name, &node{kind: tree.File, data: rest[:header.Size:header.Size]})
}

// addHardLink enters another name of a file as a file of its own.
func (t *Image) addHardLink(name, target string) error {
	target, err := cleanName(target)
	if err != nil {
		return fmt.Errorf("hard link: %w", err)
	}
	to, ok := t.nodes[target]
	if !ok || to.kind != tree.File {
		return fmt.Errorf("hard link to %q, which is no file before it", target)
	}
	return t.put(name, &node{kind: tree.File, data: to.data})
}

// put enters a node at a path where nothing is.
func (t *Image) put(name string, n *node) error {
	if _, ok := t.nodes[name]; ok {
		return errors.New("occurs twice")
	}
	if len(t.nodes) >= EntriesMax {
		return fmt.Errorf("more than %d entries", EntriesMax)
	}
	parent, err := t.directory(path.Dir(name))
	if err != nil {
		return err
	}
	n.name = path.Base(name)
	t.nodes[name] = n
	parent.children = append(parent.children, n)
	return nil
}

// directory is the directory at a path, made with its parents if need be.
func (t *Image) directory(name string) (*node, error) {
	if n, ok := t.nodes[name]; ok {
		if n.kind != tree.Dir {
			return nil, fmt.Errorf("%q is no directory", name)
		}
		return n, nil
	}
	n := &node{kind: tree.Dir}
	return n, t.put(name, n)
}

// cleanName is a name as io/fs has it. It must lie in the image: no absolute
// path and no "..".
func cleanName(name string) (string, error) {
	clean := path.Clean(strings.TrimSuffix(name, "/"))
	switch {
	case name == "" || !utf8.ValidString(name) || strings.IndexByte(name, 0) >= 0:
		return "", errors.New("not a path in UTF-8")
	case len(name) > PathBytesMax:
		return "", fmt.Errorf("path is longer than %d bytes", PathBytesMax)
	case strings.HasPrefix(name, "/"):
		return "", errors.New("absolute path")
	case slices.Contains(strings.Split(name, "/"), ".."):
		return "", errors.New(`path with ".."`)
	}
	return clean, nil
}

// checkTarget checks a symbolic link. Where it leads is checked when it is
// followed, inside the sandbox.
func checkTarget(target string) error {
	if target == "" || len(target) > PathBytesMax || !utf8.ValidString(target) || strings.IndexByte(target, 0) >= 0 {
		return errors.New("link target is not a path in UTF-8")
	}
	return nil
}

func (t *Image) node(name string) (*node, error) {
	if n, ok := t.nodes[name]; ok {
		return n, nil
	}
	return nil, fs.ErrNotExist
}

// Stat gives what is at name, and the size of a file.
func (t *Image) Stat(name string) (tree.Kind, int64, error) {
	n, err := t.node(name)
	if err != nil {
		return tree.Absent, 0, err
	}
	return n.kind, int64(len(n.data)), nil
}

// List gives the entries of a directory; an error if there are more than limit.
func (t *Image) List(name string, limit int) ([]tree.Entry, error) {
	n, err := t.node(name)
	if err != nil {
		return nil, err
	}
	if len(n.children) > limit {
		return nil, fmt.Errorf("more than %d entries", limit)
	}
	entries := make([]tree.Entry, len(n.children))
	for i, child := range n.children {
		entries[i] = tree.Entry{Name: child.name, Kind: child.kind}
	}
	return entries, nil
}

// Link gives the target of a symbolic link.
func (t *Image) Link(name string) (string, error) {
	n, err := t.node(name)
	if err != nil {
		return "", err
	}
	return n.target, nil
}

// Read gives the content of a file, shared with the image.
func (t *Image) Read(name string, size int64) ([]byte, error) {
	n, err := t.node(name)
	if err != nil {
		return nil, err
	}
	return n.data, nil
}
