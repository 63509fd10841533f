package posix

// filetype is how WASI calls a kind.
func filetype(k Kind) byte {
	switch k {
	case File:
		return 4
	case Dir:
		return 3
	case Link:
		return 7
	}
	return 0
}

// stats is a file's status before it is laid out.
type stats struct {
	device, number      uint64
	filetype            byte
	links, size         uint64
	atime, mtime, ctime uint64
}

func (s *System) stats(n *inode) (stats, error) {
	if err := s.stat(n); err != nil {
		return stats{}, err
	}
	st := stats{
		device: n.mount.device, number: n.number, filetype: filetype(n.kind), links: uint64(n.links),
		atime: n.atime, mtime: n.mtime, ctime: n.ctime,
	}
	switch n.kind {
	case File:
		st.size = uint64(n.size)
	case Link:
		st.size = uint64(len(n.target))
	}
	return st, nil
}

func (s *System) fdStats(fd uint32) (stats, error) {
	d, err := s.descriptor(fd, rightFdFilestatGet)
	if err != nil {
		return stats{}, err
	}
	if d.stream != nil {
		return stats{links: 1, atime: s.config.Start, mtime: s.config.Start, ctime: s.config.Start}, nil
	}
	return s.stats(d.node)
}

const lookupFollow = 1 // lookup flag: follow a link at the end of the path

func (s *System) pathStats(stack []uint64) (stats, error) {
	p, err := s.existing(uint32(stack[0]), rightPathFilestatGet, uint32(stack[2]), uint32(stack[3]), stack[1]&lookupFollow != 0)
	if err != nil {
		return stats{}, err
	}
	return s.stats(p.node)
}

// put lays a status out as preview 1 does.
func (s *System) putStats(offset uint32, st stats) error {
	b, err := s.bytes(offset, 64)
	if err != nil {
		return err
	}
	clear(b)
	b[16] = st.filetype
	for i, v := range [...]uint64{0: st.device, 1: st.number, 3: st.links, 4: st.size, 5: st.atime, 6: st.mtime, 7: st.ctime} {
		if i != 2 {
			le.PutUint64(b[8*i:], v)
		}
	}
	return nil
}

func (s *System) fdFilestatGet(stack []uint64) error {
	st, err := s.fdStats(uint32(stack[0]))
	if err != nil {
		return err
	}
	return s.putStats(uint32(stack[1]), st)
}

func (s *System) pathFilestatGet(stack []uint64) error {
	st, err := s.pathStats(stack)
	if err != nil {
		return err
	}
	return s.putStats(uint32(stack[4]), st)
}

const (
	setAtime = 1 << iota
	setAtimeNow
	setMtime
	setMtimeNow
	setTimesAll = 1<<iota - 1
)

func (s *System) setTimes(n *inode, atime, mtime uint64, flags uint32) error {
	switch {
	case flags > setTimesAll,
		flags&setAtime != 0 && flags&setAtimeNow != 0,
		flags&setMtime != 0 && flags&setMtimeNow != 0:
		return EINVAL
	case !n.mount.writable:
		return EROFS
	}
	if flags&setAtime != 0 {
		n.atime = atime
	}
	if flags&setAtimeNow != 0 {
		n.atime = s.now()
	}
	if flags&setMtime != 0 {
		n.mtime = mtime
	}
	if flags&setMtimeNow != 0 {
		n.mtime = s.now()
	}
	n.ctime = s.now()
	return nil
}

func (s *System) fdFilestatSetTimes(stack []uint64) error {
	d, err := s.descriptor(uint32(stack[0]), rightFdFilestatSetTimes)
	if err != nil {
		return err
	}
	if d.node == nil {
		return EBADF
	}
	return s.setTimes(d.node, stack[1], stack[2], uint32(stack[3]))
}

func (s *System) pathFilestatSetTimes(stack []uint64) error {
	p, err := s.existing(uint32(stack[0]), rightPathFilestatSetTimes, uint32(stack[2]), uint32(stack[3]), stack[1]&lookupFollow != 0)
	if err != nil {
		return err
	}
	return s.setTimes(p.node, stack[4], stack[5], uint32(stack[6]))
}
