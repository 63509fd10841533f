package posix

import (
	"slices"
	"strings"
)

// An inode is a file, directory or link. What comes from a mounted tree is
// made when the program first sees its name, and filled when it first looks.
type inode struct {
	number uint64 // sequential, from 1, in the order of making
	kind   Kind
	links  uint32 // names it has
	opens  uint32 // descriptors that hold it
	mount  *mount
	from   string // its path in the mount's tree; "" if the program made it

	atime, mtime, ctime uint64

	known  bool // size is known, or of no interest
	loaded bool // data is the content
	shared bool // data belongs to the tree: copy before writing
	dirty  bool // content was changed by the program
	pinned bool // a mount point, or on the way to one: cannot be removed or renamed
	size   int64
	data   []byte
	target string // of a link, once loaded

	dir *directory
}

// A directory is the part of an inode that only directories have.
type directory struct {
	parent  *inode            // nil at the top
	entries map[string]*inode // by name; nil for a name known to be absent. Made when needed
	count   int               // names that are not absent
	listed  bool              // every name of the tree's directory is in entries
	listing []dirEntry        // in order; nil if it must be made again; never changed
}

func (d *directory) put(name string, n *inode) {
	if d.entries == nil {
		d.entries = map[string]*inode{}
	}
	d.entries[name] = n
}

type dirEntry struct {
	name string
	node *inode
}

// newInode makes an inode with no name yet.
func (s *System) newInode(m *mount, kind Kind) (*inode, error) {
	if s.inodes >= InodesMax {
		return nil, ENOSPC
	}
	if err := s.charge(inodeCost); err != nil {
		return nil, err
	}
	s.inodes++
	s.lastNumber++
	n := &inode{number: s.lastNumber, kind: kind, mount: m, known: true, loaded: true}
	n.atime, n.mtime, n.ctime = s.now(), s.now(), s.now()
	if kind == Dir {
		n.dir = &directory{listed: true}
	}
	return n, nil
}

// adopt makes the inode of something found in a mounted tree.
func (s *System) adopt(m *mount, path string, kind Kind) (*inode, error) {
	if int64(len(path)) > SeenBytesMax-s.seen {
		return nil, ENOSPC
	}
	n, err := s.newInode(m, kind)
	if err != nil {
		return nil, err
	}
	s.seen += int64(len(path))
	n.from, n.known, n.loaded = path, kind != File, false
	n.atime, n.mtime, n.ctime = s.config.Start, s.config.Start, s.config.Start
	if kind == Dir {
		n.dir.listed = false
	}
	m.adopted = append(m.adopted, n)
	return n, nil
}

// now is the time that changes are stamped with. Looking at it is no reading.
func (s *System) now() uint64 { return s.time.at(clockRealtime) }

// touch notes a change of content.
func (s *System) touch(n *inode) { n.mtime, n.ctime = s.now(), s.now() }

// attach gives an inode a name in a directory, which does not have it.
func (s *System) attach(dir *inode, name string, n *inode) error {
	if dir.links == 0 {
		return ENOENT // removed while open
	}
	if dir.dir.count >= EntriesMax {
		return ENOSPC
	}
	if n.links >= HardLinksMax {
		return EMLINK
	}
	s.enter(dir, name, n)
	s.touch(dir)
	n.ctime = s.now()
	return nil
}

// enter is attach without limits and times.
func (s *System) enter(dir *inode, name string, n *inode) {
	if old, ok := dir.dir.entries[name]; ok && old == nil {
		s.inodes-- // a name known to be absent
	}
	dir.dir.put(name, n)
	dir.dir.count++
	dir.dir.listing = nil
	n.links++
	if n.kind == Dir {
		n.dir.parent = dir
	}
}

// detach takes a name away.
func (s *System) detach(dir *inode, name string) {
	n := dir.dir.entries[name]
	if dir.dir.listed {
		delete(dir.dir.entries, name)
	} else {
		dir.dir.put(name, nil) // or it would be found in the tree again
		s.inodes++
	}
	dir.dir.count--
	dir.dir.listing = nil
	s.touch(dir)
	n.links--
	n.ctime = s.now()
	s.release(n)
}

// release gives back what an inode without names and descriptors takes.
func (s *System) release(n *inode) {
	if n.links == 0 && n.opens == 0 {
		s.inodes--
		s.total -= int64(len(n.data) + len(n.target))
		n.data, n.target = nil, ""
	}
}

// list gives the entries of a directory in order of their names.
func (s *System) list(dir *inode) ([]dirEntry, error) {
	d := dir.dir
	if err := s.discover(dir); err != nil {
		return nil, err
	}
	if d.listing != nil {
		return d.listing, nil
	}
	if err := s.charge(entryCost * uint64(d.count)); err != nil {
		return nil, err
	}
	listing := make([]dirEntry, 0, d.count)
	for name, n := range d.entries {
		if n != nil {
			listing = append(listing, dirEntry{name, n})
		}
	}
	slices.SortFunc(listing, func(a, b dirEntry) int { return strings.Compare(a.name, b.name) })
	d.listing = listing
	return listing, nil
}

// empty reports whether a directory has no entries.
func (s *System) empty(dir *inode) (bool, error) {
	if dir.dir.count > 0 {
		return false, nil
	}
	err := s.discover(dir)
	return dir.dir.count == 0, err
}

// resize sets the length of a file's content, with zeros where it grows.
func (s *System) resize(n *inode, size uint64) error {
	if size > FileBytesMax {
		return EFBIG
	}
	if size == 0 {
		s.total -= int64(len(n.data))
		n.data, n.size = nil, 0
		n.loaded, n.known, n.dirty, n.shared = true, true, true, false
		return nil
	}
	if err := s.own(n); err != nil {
		return err
	}
	grow := int64(size) - int64(len(n.data))
	switch {
	case grow > 0:
		if grow > TotalBytesMax-s.total {
			return ENOSPC
		}
		if err := s.chargeBytes(uint64(grow)); err != nil {
			return err
		}
		n.data = append(n.data, make([]byte, grow)...)
	case cap(n.data) > 2*int(size)+4096:
		if err := s.chargeBytes(size); err != nil {
			return err
		}
		n.data = slices.Clone(n.data[:size])
	default:
		n.data = n.data[:size]
	}
	s.total += grow
	n.size, n.dirty = int64(size), true
	return nil
}

// own makes a file's content its own, so that it can be written.
func (s *System) own(n *inode) error {
	if err := s.load(n); err != nil {
		return err
	}
	if n.shared {
		if err := s.chargeBytes(uint64(len(n.data))); err != nil {
			return err
		}
		n.data, n.shared = slices.Clone(n.data), false
	}
	return nil
}
