package posix

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"carrel/guest/posix/tar"
)

// A ChangeError reports a tree that cannot be written back as the program left
// it: something of it could lead outside, or is too much.
type ChangeError struct {
	Mount int
	Path  string
	What  string
}

func (e *ChangeError) Error() string { return "write back " + e.Path + ": " + e.What }

// Changes are what the program did to its writable mounts that came from a
// tree, sorted by mount and path. An error is a failure of the host, or a
// *ChangeError where a tree cannot be written back.
func (s *System) Changes() ([]Change, error) {
	var all []Change
	for _, m := range s.mounts {
		if m.writable && m.tree != nil {
			changes, err := s.diff(m)
			if err != nil {
				return nil, err
			}
			all = append(all, changes...)
		}
	}
	return all, nil
}

// Files are everything that is now in a mount, sorted by path, as if all of it
// were new. Its root is left out, as are mounts inside it.
func (s *System) Files(mount int) ([]Change, error) {
	w := walk{system: s, mount: s.mounts[mount], everything: true}
	if err := w.directory(w.mount.root, "."); err != nil {
		return nil, err
	}
	return w.sorted(), nil
}

// WriteTar writes everything that is now in a mount as a tar image: the same
// tree always gives the same bytes.
func (s *System) WriteTar(mount int, to io.Writer) error {
	files, err := s.Files(mount)
	if err != nil {
		return err
	}
	return tar.Write(to, files)
}

// diff is what changed in one mount.
func (s *System) diff(m *mount) ([]Change, error) {
	w := walk{system: s, mount: m, was: map[string]Kind{}, seen: map[string]bool{}}
	if m.root.kind != Dir {
		w.was["."] = m.root.kind
		err := w.visit(m.root, ".")
		return w.changes, err
	}
	if err := w.discoverMoved(m.root, "."); err != nil {
		return nil, err
	}
	for _, n := range m.adopted {
		w.was[n.from] = n.kind
	}
	if err := w.directory(m.root, "."); err != nil {
		return nil, err
	}
	for path, kind := range w.was {
		if !w.seen[path] && path != "." {
			w.changes = append(w.changes, Change{Mount: m.index, Path: path, Was: kind})
		}
	}
	return w.sorted(), nil
}

// discoverMoved looks at all that a directory took along when it was renamed:
// it is gone from where it was.
func (w *walk) discoverMoved(dir *inode, path string) error {
	if dir.from != path {
		if err := w.system.discover(dir); err != nil {
			return w.because(path, err)
		}
	}
	if len(path) > PathBytesMax {
		return w.refuse(path, "the path is too long")
	}
	for _, name := range names(dir) {
		if n := dir.dir.entries[name]; n.kind == Dir && n.mount == w.mount {
			if err := w.discoverMoved(n, join(path, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// names are the names in a directory, as far as they are known, in order.
func names(dir *inode) []string {
	names := make([]string, 0, dir.dir.count)
	for name, n := range dir.dir.entries {
		if n != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// A walk goes over a mount as the program left it.
type walk struct {
	system     *System
	mount      *mount
	everything bool            // report all, changed or not
	was        map[string]Kind // what the tree had, as far as it was seen
	seen       map[string]bool // paths that are there now
	changes    []Change
}

func (w *walk) sorted() []Change {
	slices.SortFunc(w.changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Mount, b.Mount), strings.Compare(a.Path, b.Path))
	})
	return w.changes
}

func (w *walk) refuse(path, what string) error {
	return &ChangeError{Mount: w.mount.index, Path: path, What: what}
}

// directory visits what is in a directory. Of one that is where it was in the
// tree, what was never looked at is unchanged.
func (w *walk) directory(dir *inode, path string) error {
	if w.everything {
		if err := w.system.discover(dir); err != nil {
			return w.because(path, err)
		}
	}
	for _, name := range names(dir) {
		if err := w.visit(dir.dir.entries[name], join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) visit(n *inode, path string) error {
	if !w.everything {
		w.seen[path] = true
	}
	if len(path) > PathBytesMax {
		return w.refuse(path, "the path is too long")
	}
	if n.mount != w.mount {
		return nil // another mount
	}
	same := n.from == path && !w.everything
	change := Change{Mount: w.mount.index, Path: path, Was: w.was[path], Kind: n.kind}
	switch n.kind {
	case Dir:
		return w.visitDir(n, change)
	case File:
		if same && !n.dirty {
			return nil
		}
		if err := w.system.load(n); err != nil {
			return w.because(path, err)
		}
		change.Data, change.Digest = n.data, digestOf(n.data)
	case Link:
		if same {
			return nil
		}
		if err := w.system.readLink(n); err != nil {
			return w.because(path, err)
		}
		if !w.everything && w.escapes(path, n.target) {
			return w.refuse(path, "the link leads outside")
		}
		change.Target = n.target
	case Other:
		if !same {
			return w.refuse(path, "devices, sockets and pipes stay where they are")
		}
		return nil
	}
	w.changes = append(w.changes, change)
	return nil
}

func (w *walk) visitDir(n *inode, change Change) error {
	at := len(w.changes)
	if err := w.directory(n, change.Path); err != nil {
		return err
	}
	// A directory made only to lead to a mount point is not the program's.
	if change.Was == Dir || n.pinned && n.from == "" && len(w.changes) == at {
		return nil
	}
	w.changes = append(w.changes, change)
	return nil
}

// because makes an error number a *ChangeError; failures of the host stay.
func (w *walk) because(path string, err error) error {
	if errno := Errno(0); errors.As(err, &errno) {
		return w.refuse(path, errno.Error())
	}
	return fmt.Errorf("write back: %w", err)
}

// escapeNamesMax is how many names escapes walks before it gives up.
const escapeNamesMax = 4 * PathBytesMax

// escapes reports whether a link at path could lead out of the mount, as the
// tree is now, or winds too much to tell. Names that are not there count as
// directories.
func (w *walk) escapes(path, target string) bool {
	dirs := []*inode{w.mount.root}
	names := strings.Split(path, "/")
	rest := append(names[:len(names)-1:len(names)-1], strings.Split(target, "/")...)
	for links, walked := 0, 0; len(rest) > 0; walked++ {
		if walked > escapeNamesMax {
			return true
		}
		name := rest[0]
		rest = rest[1:]
		switch dir := dirs[len(dirs)-1]; {
		case name == "" || name == ".":
		case name == "..":
			if len(dirs) == 1 {
				return true
			}
			dirs = dirs[:len(dirs)-1]
		case dir == nil || dir.kind != Dir:
			dirs = append(dirs, nil)
		default:
			n, err := w.system.lookup(dir, name)
			if err != nil && err != error(ENOENT) {
				return true
			}
			if n == nil || n.kind != Link {
				dirs = append(dirs, n)
				continue
			}
			if links++; links > LinksMax || w.system.readLink(n) != nil || n.target[0] == '/' {
				return true
			}
			rest = append(strings.Split(n.target, "/"), rest...)
		}
	}
	return false
}
