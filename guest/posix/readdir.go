package posix

const direntBytes = 24

// fdReaddir gives entries from a cookie on. The entries are those that were
// there when the descriptor last read from cookie 0, less those removed since;
// a cookie is a position among them, so it stays good whatever is added or
// removed meanwhile.
func (s *System) fdReaddir(stack []uint64) error {
	d, err := s.dir(uint32(stack[0]), rightFdReaddir)
	if err != nil {
		return err
	}
	buffer, err := s.bytes(uint32(stack[1]), uint32(stack[2]))
	if err != nil {
		return err
	}
	answer, err := s.bytes(uint32(stack[4]), 4)
	if err != nil {
		return err
	}
	cookie := stack[3]
	if cookie == 0 || d.entries == nil {
		if err := s.snapshot(d); err != nil {
			return err
		}
	}
	used := 0
	for ; used < len(buffer) && cookie < uint64(len(d.entries))+2; cookie++ {
		if err := s.charge(stepCost); err != nil {
			return err
		}
		name, n := d.entry(cookie)
		if n == nil {
			continue
		}
		if err := s.chargeBytes(direntBytes + uint64(len(name))); err != nil {
			return err
		}
		var head [direntBytes]byte
		le.PutUint64(head[0:], cookie+1)
		le.PutUint64(head[8:], n.number)
		le.PutUint32(head[16:], uint32(len(name)))
		head[20] = filetype(n.kind)
		used += copy(buffer[used:], head[:])
		used += copy(buffer[used:], name)
	}
	le.PutUint32(answer, uint32(used))
	return nil
}

// snapshot makes a descriptor read a directory as it is now.
func (s *System) snapshot(d *descriptor) error {
	entries, err := s.list(d.node)
	if err != nil {
		return err
	}
	if s.listed-len(d.entries)+len(entries) > ListedMax {
		return ENOMEM
	}
	s.listed += len(entries) - len(d.entries)
	d.entries = entries
	return nil
}

// entry is the one at a cookie; nil if it is gone.
func (d *descriptor) entry(cookie uint64) (string, *inode) {
	dir := d.node.dir
	switch cookie {
	case 0:
		return ".", d.node
	case 1:
		if dir.parent == nil {
			return "..", d.node
		}
		return "..", dir.parent
	}
	name := d.entries[cookie-2].name
	return name, dir.entries[name]
}
