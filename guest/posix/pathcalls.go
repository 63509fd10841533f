package posix

import "strings"

// place resolves a path that a program gives with a directory descriptor.
func (s *System) place(fd uint32, need rights, offset, length uint32, follow bool) (place, error) {
	d, err := s.dir(fd, need)
	if err != nil {
		return place{}, err
	}
	path, err := s.path(offset, length)
	if err != nil {
		return place{}, err
	}
	return s.resolve(d, path, follow)
}

// existing is place for what must be there.
func (s *System) existing(fd uint32, need rights, offset, length uint32, follow bool) (place, error) {
	p, err := s.place(fd, need, offset, length, follow)
	if err == nil && p.node == nil {
		err = ENOENT
	}
	return p, err
}

// named is existing for what is to be removed or renamed: it needs a name in a
// directory that can be written.
func (s *System) named(fd uint32, need rights, offset, length uint32) (place, error) {
	p, err := s.existing(fd, need, offset, length, false)
	switch {
	case err != nil:
	case p.dir == nil:
		err = EINVAL // "." or ".."
	case !p.dir.mount.writable:
		err = EROFS
	case p.node.pinned:
		err = EBUSY
	}
	return p, err
}

// absent is place for what must not be there yet.
func (s *System) absent(fd uint32, need rights, offset, length uint32) (place, error) {
	p, err := s.place(fd, need, offset, length, false)
	switch {
	case err != nil:
	case p.node != nil:
		err = EEXIST
	case !p.dir.mount.writable:
		err = EROFS
	}
	return p, err
}

const (
	openCreate = 1 << iota
	openDirectory
	openExclusive
	openTruncate
	openAll = 1<<iota - 1
)

// pathOpen opens, and makes if asked, a file or directory.
func (s *System) pathOpen(stack []uint64) error {
	how, flags := uint32(stack[4]), uint32(stack[7])
	if how > openAll || flags > flagsAll || how&openCreate != 0 && how&openDirectory != 0 {
		return EINVAL
	}
	need := rightPathOpen
	if how&openCreate != 0 {
		need |= rightPathCreateFile
	}
	if how&openTruncate != 0 {
		need |= rightPathFilestatSetSize
	}
	top, err := s.dir(uint32(stack[0]), need)
	if err != nil {
		return err
	}
	answer, err := s.bytes(uint32(stack[8]), 4)
	if err != nil {
		return err
	}
	if s.table.held >= DescriptorMax {
		return EMFILE
	}
	d := &descriptor{
		base:       rights(stack[5]) & top.inheriting,
		inheriting: rights(stack[6]) & top.inheriting,
		flags:      uint16(flags),
	}
	follow := stack[1]&lookupFollow != 0 && how&openExclusive == 0
	p, err := s.place(uint32(stack[0]), need, uint32(stack[2]), uint32(stack[3]), follow)
	if err != nil {
		return err
	}
	if d.node, err = s.openNode(p, how, d.base&rightFdWrite != 0); err != nil {
		return err
	}
	if d.node.kind == Dir {
		d.base &= rightsDir
	} else {
		d.base &= rightsFile
		d.inheriting = 0
	}
	fd, err := s.table.add(d)
	if err != nil {
		return err
	}
	le.PutUint32(answer, fd)
	return nil
}

// openNode is what path_open opens at a place.
func (s *System) openNode(p place, how uint32, write bool) (*inode, error) {
	if p.node == nil {
		return s.create(p, how)
	}
	n := p.node
	switch {
	case how&openCreate != 0 && how&openExclusive != 0:
		return nil, EEXIST
	case n.kind == Link:
		return nil, ELOOP
	case how&openDirectory != 0 && n.kind != Dir:
		return nil, ENOTDIR
	case n.kind == Dir && how&openDirectory == 0 && (write || how&(openCreate|openTruncate) != 0):
		return nil, EISDIR
	case n.kind == Dir && how&openTruncate != 0:
		return nil, EISDIR
	case n.kind == Other:
		return nil, ENOTSUP
	case n.kind == File && (write || how&openTruncate != 0) && !n.mount.writable:
		return nil, EROFS
	}
	if n.kind == File {
		if err := s.stat(n); err != nil {
			return nil, err
		}
	}
	if how&openTruncate != 0 {
		if err := s.setSize(n, 0); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// create makes the file that path_open did not find.
func (s *System) create(p place, how uint32) (*inode, error) {
	switch {
	case how&openCreate == 0:
		return nil, ENOENT
	case p.slash:
		return nil, EISDIR
	case !p.dir.mount.writable:
		return nil, EROFS
	}
	return s.make(p, File)
}

// make makes something new at a place.
func (s *System) make(p place, kind Kind) (*inode, error) {
	n, err := s.newInode(p.dir.mount, kind)
	if err != nil {
		return nil, err
	}
	n.dirty = true
	if err := s.attach(p.dir, p.name, n); err != nil {
		s.release(n)
		return nil, err
	}
	return n, nil
}

func (s *System) pathCreateDirectory(stack []uint64) error {
	p, err := s.absent(uint32(stack[0]), rightPathCreateDirectory, uint32(stack[1]), uint32(stack[2]))
	if err != nil {
		return err
	}
	_, err = s.make(p, Dir)
	return err
}

func (s *System) pathLink(stack []uint64) error {
	old, err := s.existing(uint32(stack[0]), rightPathLinkSource, uint32(stack[2]), uint32(stack[3]), stack[1]&lookupFollow != 0)
	if err != nil {
		return err
	}
	to, err := s.absent(uint32(stack[4]), rightPathLinkTarget, uint32(stack[5]), uint32(stack[6]))
	switch {
	case err != nil:
		return err
	case old.node.kind == Dir:
		return EPERM
	case old.node.mount != to.dir.mount:
		return EXDEV
	case to.slash:
		return ENOENT
	}
	return s.attach(to.dir, to.name, old.node)
}

func (s *System) pathSymlink(stack []uint64) error {
	d, err := s.dir(uint32(stack[2]), rightPathSymlink)
	if err != nil {
		return err
	}
	target, err := s.path(uint32(stack[0]), uint32(stack[1]))
	if err != nil {
		return err
	}
	path, err := s.path(uint32(stack[3]), uint32(stack[4]))
	if err != nil {
		return err
	}
	p, err := s.resolve(d, path, false)
	switch {
	case err != nil:
		return err
	case p.node != nil:
		return EEXIST
	case !p.dir.mount.writable:
		return EROFS
	case target[0] == '/':
		return EPERM
	case p.slash:
		return ENOENT
	}
	if int64(len(target)) > TotalBytesMax-s.total {
		return ENOSPC
	}
	// Paid here, since it is walked when the tree is written back.
	if err := s.charge(nameCost * uint64(1+strings.Count(target, "/"))); err != nil {
		return err
	}
	n, err := s.make(p, Link)
	if err != nil {
		return err
	}
	n.target = target
	s.total += int64(len(target))
	return nil
}

func (s *System) pathReadlink(stack []uint64) error {
	p, err := s.existing(uint32(stack[0]), rightPathReadlink, uint32(stack[1]), uint32(stack[2]), false)
	if err != nil {
		return err
	}
	if p.node.kind != Link {
		return EINVAL
	}
	if err := s.readLink(p.node); err != nil {
		return err
	}
	buffer, err := s.bytes(uint32(stack[3]), min(uint32(stack[4]), uint32(len(p.node.target))))
	if err != nil {
		return err
	}
	if err := s.put32(uint32(stack[5]), uint32(len(buffer))); err != nil {
		return err
	}
	if err := s.chargeBytes(uint64(len(buffer))); err != nil {
		return err
	}
	copy(buffer, p.node.target)
	return nil
}

func (s *System) pathRemoveDirectory(stack []uint64) error {
	p, err := s.named(uint32(stack[0]), rightPathRemoveDirectory, uint32(stack[1]), uint32(stack[2]))
	if err != nil {
		return err
	}
	if p.node.kind != Dir {
		return ENOTDIR
	}
	if err := s.mustBeEmpty(p.node); err != nil {
		return err
	}
	s.detach(p.dir, p.name)
	return nil
}

func (s *System) mustBeEmpty(dir *inode) error {
	empty, err := s.empty(dir)
	if err == nil && !empty {
		err = ENOTEMPTY
	}
	return err
}

func (s *System) pathUnlinkFile(stack []uint64) error {
	p, err := s.named(uint32(stack[0]), rightPathUnlinkFile, uint32(stack[1]), uint32(stack[2]))
	if err != nil {
		return err
	}
	if p.node.kind == Dir {
		return EISDIR
	}
	s.detach(p.dir, p.name)
	return nil
}

func (s *System) pathRename(stack []uint64) error {
	from, err := s.named(uint32(stack[0]), rightPathRenameSource, uint32(stack[1]), uint32(stack[2]))
	if err != nil {
		return err
	}
	to, err := s.place(uint32(stack[3]), rightPathRenameTarget, uint32(stack[4]), uint32(stack[5]), false)
	if err != nil {
		return err
	}
	if err := s.mayRename(from, to); err != nil || from.node == to.node {
		return err
	}
	if to.node == nil && to.dir.dir.count >= EntriesMax {
		return ENOSPC
	}
	if to.node != nil {
		s.detach(to.dir, to.name)
	}
	// Nothing below can fail: from.node keeps a name throughout.
	s.enter(to.dir, to.name, from.node)
	s.touch(to.dir)
	s.detach(from.dir, from.name)
	return nil
}

// mayRename holds the cases of rename(2) that are errors.
func (s *System) mayRename(from, to place) error {
	switch {
	case to.dir == nil:
		return EINVAL // "." or ".."
	case to.dir.mount != from.dir.mount || from.node.mount != from.dir.mount:
		return EXDEV
	case to.node != nil && to.node.pinned:
		return EBUSY
	case to.dir.links == 0:
		return ENOENT // removed while open
	case to.slash && from.node.kind != Dir:
		return ENOTDIR
	case from.node == to.node:
		return nil
	}
	if from.node.kind == Dir {
		if err := s.notBelow(to.dir, from.node); err != nil {
			return err
		}
	}
	switch {
	case to.node == nil:
		return nil
	case from.node.kind == Dir && to.node.kind != Dir:
		return ENOTDIR
	case from.node.kind != Dir && to.node.kind == Dir:
		return EISDIR
	case to.node.kind == Dir:
		return s.mustBeEmpty(to.node)
	}
	return nil
}

// notBelow is EINVAL if a directory is another one or lies below it.
func (s *System) notBelow(dir, other *inode) error {
	for ; dir != nil; dir = dir.dir.parent {
		if err := s.charge(stepCost); err != nil {
			return err
		}
		if dir == other {
			return EINVAL
		}
	}
	return nil
}
