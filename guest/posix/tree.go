package posix

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"
)

// A ChangedError reports that something outside changed while the program ran.
type ChangedError struct {
	Path string // within its mount
	What string // e.g. "is gone", "has 12 bytes, it had 10"
}

func (e *ChangedError) Error() string { return e.Path + " changed while running: " + e.What }

// fail notes a failure of the host and ends the run with it.
func (s *System) fail(err error) error {
	if s.failure == nil {
		s.failure = err
	}
	return err
}

func (s *System) failTree(what, path string, err error) error {
	if notObserved := (*NotObservedError)(nil); errors.As(err, &notObserved) {
		return s.fail(err)
	}
	return s.fail(fmt.Errorf("%s %s: %w", what, path, err))
}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}

// lookup finds a name in a directory; ENOENT if it is not there.
func (s *System) lookup(dir *inode, name string) (*inode, error) {
	n, ok := dir.dir.entries[name]
	switch {
	case n != nil:
		return n, nil
	case ok || dir.dir.listed:
		return nil, ENOENT
	}
	if err := s.charge(lookCost); err != nil {
		return nil, err
	}
	path := join(dir.from, name)
	kind, size, err := dir.mount.tree.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if s.inodes >= InodesMax || int64(len(path)) > SeenBytesMax-s.seen {
			return nil, ENOSPC
		}
		s.inodes++
		s.seen += int64(len(path))
		dir.dir.put(name, nil)
		dir.mount.observe(path, Absent)
		return nil, ENOENT
	}
	if err != nil {
		return nil, s.failTree("look at", path, err)
	}
	n, err = s.adopt(dir.mount, path, kind)
	if err != nil {
		return nil, err
	}
	s.enter(dir, name, n)
	s.sized(n, size)
	return n, nil
}

// sized notes what was seen of an adopted inode by looking at it alone.
func (s *System) sized(n *inode, size int64) {
	o := n.mount.observe(n.from, n.kind)
	if n.kind == File {
		n.size, n.known, o.Size = size, true, size
	}
}

// stat makes the size of an inode known.
func (s *System) stat(n *inode) error {
	if n.kind == Link {
		return s.readLink(n)
	}
	if n.known {
		return nil
	}
	if err := s.charge(lookCost); err != nil {
		return err
	}
	kind, size, err := n.mount.tree.Stat(n.from)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s.fail(&ChangedError{n.from, "is gone"})
	case err != nil:
		return s.failTree("look at", n.from, err)
	case kind != n.kind:
		return s.fail(&ChangedError{n.from, fmt.Sprintf("is a %v, it was a %v", kind, n.kind)})
	}
	s.sized(n, size)
	return nil
}

// load makes the content of a file known.
func (s *System) load(n *inode) error {
	if n.loaded {
		return nil
	}
	if err := s.stat(n); err != nil {
		return err
	}
	switch {
	case n.size > FileBytesMax:
		return EFBIG
	case n.size > TotalBytesMax-s.total:
		return ENOMEM
	}
	if err := s.chargeBytes(uint64(n.size)); err != nil {
		return err
	}
	data, err := n.mount.tree.Read(n.from, n.size)
	if err != nil {
		return s.failTree("read", n.from, err)
	}
	if int64(len(data)) != n.size {
		return s.fail(&ChangedError{n.from, fmt.Sprintf("has %d bytes, it had %d", len(data), n.size)})
	}
	if !n.mount.pinned {
		digest := digestOf(data)
		n.mount.observe(n.from, File).Digest = digest
		if s.config.Blob != nil {
			if err := s.config.Blob(digest, data); err != nil {
				return s.fail(fmt.Errorf("keep content of %s: %w", n.from, err))
			}
		}
	}
	n.data, n.loaded, n.shared = slices.Clip(data), true, true
	s.total += n.size
	return nil
}

// readLink makes the target of a link known.
func (s *System) readLink(n *inode) error {
	if n.loaded {
		return nil
	}
	if err := s.charge(lookCost); err != nil {
		return err
	}
	target, err := n.mount.tree.Link(n.from)
	switch {
	case err != nil:
		return s.failTree("read link", n.from, err)
	case target == "" || len(target) > PathBytesMax || !utf8.ValidString(target) || strings.IndexByte(target, 0) >= 0:
		return s.fail(fmt.Errorf("read link %s: its target is not a path a program can see", n.from))
	}
	if int64(len(target)) > TotalBytesMax-s.total {
		return ENOMEM
	}
	s.total += int64(len(target))
	n.mount.observe(n.from, Link).Target = target
	n.target, n.loaded = target, true
	return nil
}

// discover makes every name of a directory known.
func (s *System) discover(dir *inode) error {
	d := dir.dir
	if d.listed {
		return nil
	}
	if err := s.charge(lookCost); err != nil {
		return err
	}
	found, err := dir.mount.tree.List(dir.from, EntriesMax)
	if err != nil {
		return s.failTree("list", dir.from, err)
	}
	if err := s.charge(entryCost * uint64(len(found))); err != nil {
		return err
	}
	entries, err := sortedEntries(found)
	if err != nil {
		return s.failTree("list", dir.from, err)
	}
	if err := s.compare(dir, entries); err != nil {
		return s.fail(err)
	}
	for _, e := range entries {
		if _, ok := d.entries[e.Name]; ok {
			continue // seen before, removed, or hidden by a mount point
		}
		n, err := s.adopt(dir.mount, join(dir.from, e.Name), e.Kind)
		if err != nil {
			return err
		}
		s.enter(dir, e.Name, n)
	}
	if !dir.mount.pinned {
		o := dir.mount.observe(dir.from, Dir)
		o.Listed, o.Entries = true, entries
	}
	d.listed = true
	return nil
}

// compare holds a directory's listing against what was seen of it before.
func (s *System) compare(dir *inode, entries []Entry) error {
	if dir.mount.pinned || len(dir.dir.entries) == 0 {
		return nil
	}
	seen := map[string]Kind{}
	for _, e := range entries {
		seen[e.Name] = e.Kind
	}
	for name := range dir.dir.entries {
		path := join(dir.from, name)
		if o, ok := dir.mount.observed[path]; ok && o.Kind != seen[name] {
			return &ChangedError{path, fmt.Sprintf("is %v, it was %v", seen[name], o.Kind)}
		}
	}
	return nil
}

// sortedEntries checks and sorts what a tree lists.
func sortedEntries(found []Entry) ([]Entry, error) {
	if len(found) > EntriesMax {
		return nil, fmt.Errorf("more than %d entries", EntriesMax)
	}
	for _, e := range found {
		if err := checkName(e.Name); err != nil {
			return nil, err
		}
	}
	entries := slices.Clone(found)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(entries); i++ {
		if entries[i].Name == entries[i-1].Name {
			return nil, fmt.Errorf("name %q occurs twice", entries[i].Name)
		}
	}
	return entries, nil
}

func checkName(name string) error {
	switch {
	case !utf8.ValidString(name):
		return fmt.Errorf("name %q is not UTF-8", name)
	case len(name) > NameBytesMax:
		return fmt.Errorf("name %q is longer than %d bytes", name, NameBytesMax)
	case name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00"):
		return fmt.Errorf("name %q is not one", name)
	}
	return nil
}
