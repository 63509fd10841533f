package posix

// A descriptor is what a program holds of an open file, directory or stream.
type descriptor struct {
	node       *inode   // nil for a stream
	above      []*inode // of the working directory: its parents from the root on
	stream     *stream  // nil for a node
	base       rights
	inheriting rights
	flags      uint16
	offset     uint64
	name       string // guest path of a preopened directory
	preopen    bool
	entries    []dirEntry // what fd_readdir reads, as it was at cookie 0
}

// descriptors are numbered from 0; a new one gets the lowest free number.
type descriptors struct {
	open []*descriptor // nil where free
	free int           // no number below it is free
	held int           // how many are open

	streams [3]descriptor // 0, 1 and 2 at the start
}

func (t *descriptors) standard(s *System) {
	t.open = make([]*descriptor, len(t.streams), 8)
	t.held, t.free = len(t.streams), len(t.streams)
	for i := range t.streams {
		t.streams[i] = descriptor{stream: &s.streams[i], base: rightsOutput}
		t.open[i] = &t.streams[i]
	}
	t.streams[0].base = rightsInput
}

func (t *descriptors) add(d *descriptor) (uint32, error) {
	if t.held >= DescriptorMax {
		return 0, EMFILE
	}
	for t.free < len(t.open) && t.open[t.free] != nil {
		t.free++
	}
	fd := t.free
	if fd == len(t.open) {
		t.open = append(t.open, nil)
	}
	t.open[fd] = d
	t.held++
	t.free++
	if d.node != nil {
		d.node.opens++
	}
	return uint32(fd), nil
}

func (t *descriptors) get(fd uint32) (*descriptor, error) {
	if uint64(fd) >= uint64(len(t.open)) || t.open[fd] == nil {
		return nil, EBADF
	}
	return t.open[fd], nil
}

func (s *System) preopen(name string, m *mount) {
	// There are fewer mounts than descriptors.
	_, _ = s.table.add(&descriptor{node: m.root, base: rightsDir, inheriting: rightsDir | rightsFile, name: name, preopen: true})
}

func (s *System) close(fd uint32) error {
	d, err := s.table.get(fd)
	if err != nil {
		return err
	}
	s.table.open[fd] = nil
	s.table.held--
	s.table.free = min(s.table.free, int(fd))
	s.listed -= len(d.entries)
	if d.node != nil {
		d.node.opens--
		s.release(d.node)
	}
	return nil
}

// descriptor is an open file, directory or stream with rights to it.
func (s *System) descriptor(fd uint32, need rights) (*descriptor, error) {
	d, err := s.table.get(fd)
	if err != nil {
		return nil, err
	}
	if d.base&need != need {
		return nil, ENOTCAPABLE
	}
	return d, nil
}

// dir is an open directory with rights to it.
func (s *System) dir(fd uint32, need rights) (*descriptor, error) {
	d, err := s.table.get(fd)
	switch {
	case err != nil:
		return nil, err
	case d.node == nil || d.node.kind != Dir:
		return nil, ENOTDIR
	case d.base&need != need:
		return nil, ENOTCAPABLE
	}
	return d, nil
}

// file is an open file with rights to it.
func (s *System) file(fd uint32, need rights) (*descriptor, error) {
	d, err := s.table.get(fd)
	switch {
	case err != nil:
		return nil, err
	case d.node == nil:
		return nil, ESPIPE
	case d.node.kind == Dir:
		return nil, EISDIR
	case d.base&need != need:
		return nil, ENOTCAPABLE
	}
	return d, nil
}

func (s *System) fdClose(stack []uint64) error { return s.close(uint32(stack[0])) }

func (s *System) fdRenumber(stack []uint64) error {
	from, to := uint32(stack[0]), uint32(stack[1])
	d, err := s.table.get(from)
	if err != nil {
		return err
	}
	if _, err := s.table.get(to); err != nil {
		return err
	}
	if from == to {
		return nil
	}
	if err := s.close(to); err != nil {
		return err
	}
	s.table.open[to], s.table.open[from] = d, nil
	s.table.free = min(s.table.free, int(from))
	return nil
}

const (
	flagAppend = 1 << iota
	flagDsync
	flagNonblock
	flagRsync
	flagSync
	flagsAll = 1<<iota - 1
)

func (s *System) fdFdstatGet(stack []uint64) error {
	d, err := s.table.get(uint32(stack[0]))
	if err != nil {
		return err
	}
	b, err := s.bytes(uint32(stack[1]), 24)
	if err != nil {
		return err
	}
	clear(b)
	if d.node != nil {
		b[0] = filetype(d.node.kind)
	}
	le.PutUint16(b[2:], d.flags)
	le.PutUint64(b[8:], uint64(d.base))
	le.PutUint64(b[16:], uint64(d.inheriting))
	return nil
}

func (s *System) fdFdstatSetFlags(stack []uint64) error {
	d, err := s.descriptor(uint32(stack[0]), rightFdstatSetFlags)
	if err != nil {
		return err
	}
	if uint32(stack[1]) > flagsAll {
		return EINVAL
	}
	d.flags = uint16(stack[1])
	return nil
}

func (s *System) fdFdstatSetRights(stack []uint64) error {
	d, err := s.table.get(uint32(stack[0]))
	if err != nil {
		return err
	}
	base, inheriting := rights(stack[1]), rights(stack[2])
	if base&^d.base != 0 || inheriting&^d.inheriting != 0 {
		return ENOTCAPABLE
	}
	d.base, d.inheriting = base, inheriting
	return nil
}

func (s *System) fdPrestatGet(stack []uint64) error {
	d, err := s.table.get(uint32(stack[0]))
	if err != nil {
		return err
	}
	if !d.preopen {
		return EBADF
	}
	b, err := s.bytes(uint32(stack[1]), 8)
	if err != nil {
		return err
	}
	clear(b) // tag 0: a directory
	le.PutUint32(b[4:], uint32(len(d.name)))
	return nil
}

func (s *System) fdPrestatDirName(stack []uint64) error {
	d, err := s.table.get(uint32(stack[0]))
	if err != nil {
		return err
	}
	if !d.preopen {
		return EBADF
	}
	if uint32(stack[2]) < uint32(len(d.name)) {
		return ENAMETOOLONG
	}
	b, err := s.bytes(uint32(stack[1]), uint32(len(d.name)))
	if err != nil {
		return err
	}
	if err := s.chargeBytes(uint64(len(b))); err != nil {
		return err
	}
	copy(b, d.name)
	return nil
}
