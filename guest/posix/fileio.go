package posix

import "math"

// fdRead reads all that is asked for, or up to the end of the file.
func (s *System) fdRead(stack []uint64) error {
	d, err := s.table.get(uint32(stack[0]))
	if err != nil {
		return err
	}
	if d.stream != nil {
		return s.readStream(d, stack)
	}
	if d, err = s.file(uint32(stack[0]), rightFdRead); err != nil {
		return err
	}
	n, err := s.readAt(d.node, d.offset, uint32(stack[1]), uint32(stack[2]), uint32(stack[3]))
	d.offset += n
	return err
}

func (s *System) fdPread(stack []uint64) error {
	d, err := s.file(uint32(stack[0]), rightFdRead|rightFdSeek)
	if err != nil {
		return err
	}
	if stack[3] > math.MaxInt64 {
		return EINVAL
	}
	_, err = s.readAt(d.node, stack[3], uint32(stack[1]), uint32(stack[2]), uint32(stack[4]))
	return err
}

// readAt reads from a file into buffers and says at out how much.
func (s *System) readAt(n *inode, offset uint64, iovs, count, out uint32) (uint64, error) {
	buffers, total, err := s.iovecs(iovs, count)
	if err != nil {
		return 0, err
	}
	answer, err := s.bytes(out, 4)
	if err != nil {
		return 0, err
	}
	if err := s.load(n); err != nil {
		return 0, err
	}
	rest := n.data[min(offset, uint64(len(n.data))):]
	total = min(total, uint64(len(rest)))
	if err := s.chargeBytes(total); err != nil {
		return 0, err
	}
	for _, b := range buffers {
		rest = rest[copy(b, rest):]
	}
	le.PutUint32(answer, uint32(total))
	return total, nil
}

func (s *System) readStream(d *descriptor, stack []uint64) error {
	if d.base&rightFdRead == 0 {
		return ENOTCAPABLE
	}
	buffers, total, err := s.iovecs(uint32(stack[1]), uint32(stack[2]))
	if err != nil {
		return err
	}
	answer, err := s.bytes(uint32(stack[3]), 4)
	if err != nil {
		return err
	}
	// What will come is not known before: all that is asked for is paid.
	if err := s.chargeBytes(total); err != nil {
		return err
	}
	total = 0
	for _, b := range buffers {
		n, more, err := d.stream.read(b)
		total += uint64(n)
		if err != nil {
			return s.fail(err)
		}
		if !more {
			break
		}
	}
	le.PutUint32(answer, uint32(total))
	return nil
}

func (s *System) fdWrite(stack []uint64) error {
	d, err := s.table.get(uint32(stack[0]))
	if err != nil {
		return err
	}
	if d.stream != nil {
		return s.writeStream(d, stack)
	}
	if d, err = s.file(uint32(stack[0]), rightFdWrite); err != nil {
		return err
	}
	offset := d.offset
	if d.flags&flagAppend != 0 {
		if err := s.stat(d.node); err != nil {
			return err
		}
		offset = uint64(d.node.size)
	}
	n, err := s.writeAt(d.node, offset, uint32(stack[1]), uint32(stack[2]), uint32(stack[3]))
	if err == nil && n > 0 {
		d.offset = offset + n
	}
	return err
}

func (s *System) fdPwrite(stack []uint64) error {
	d, err := s.file(uint32(stack[0]), rightFdWrite|rightFdSeek)
	if err != nil {
		return err
	}
	if stack[3] > math.MaxInt64 {
		return EINVAL
	}
	_, err = s.writeAt(d.node, stack[3], uint32(stack[1]), uint32(stack[2]), uint32(stack[4]))
	return err
}

// writeAt writes buffers to a file, all or nothing, and says at out how much.
func (s *System) writeAt(n *inode, offset uint64, iovs, count, out uint32) (uint64, error) {
	if !n.mount.writable {
		return 0, EROFS
	}
	buffers, total, err := s.iovecs(iovs, count)
	if err != nil {
		return 0, err
	}
	answer, err := s.bytes(out, 4)
	if err != nil {
		return 0, err
	}
	if err := s.chargeBytes(total); err != nil {
		return 0, err
	}
	if total > 0 {
		if err := s.reach(n, offset, total); err != nil {
			return 0, err
		}
		rest := n.data[offset:]
		for _, b := range buffers {
			rest = rest[copy(rest, b):]
		}
		n.dirty = true
		s.touch(n)
	}
	le.PutUint32(answer, uint32(total))
	return total, nil
}

// reach makes a file long enough for a write, and its content its own.
func (s *System) reach(n *inode, offset, length uint64) error {
	if offset > FileBytesMax || length > FileBytesMax-offset {
		return EFBIG
	}
	if err := s.own(n); err != nil {
		return err
	}
	if offset+length > uint64(len(n.data)) {
		return s.resize(n, offset+length)
	}
	return nil
}

func (s *System) writeStream(d *descriptor, stack []uint64) error {
	if d.base&rightFdWrite == 0 {
		return ENOTCAPABLE
	}
	buffers, total, err := s.iovecs(uint32(stack[1]), uint32(stack[2]))
	if err != nil {
		return err
	}
	answer, err := s.bytes(uint32(stack[3]), 4)
	if err != nil {
		return err
	}
	if err := s.chargeBytes(total); err != nil {
		return err
	}
	for _, b := range buffers {
		if err := d.stream.write(b); err != nil {
			return s.fail(err)
		}
	}
	le.PutUint32(answer, uint32(total))
	return nil
}

const (
	seekStart = iota
	seekCurrent
	seekEnd
)

func (s *System) fdSeek(stack []uint64) error {
	need := rightFdSeek
	if stack[1] == 0 && uint32(stack[2]) == seekCurrent {
		need = rightFdTell // it only tells
	}
	d, err := s.table.get(uint32(stack[0]))
	if err != nil {
		return err
	}
	if d, err = s.file(uint32(stack[0]), 0); err != nil {
		return err
	}
	if d.base&(need|rightFdSeek) == 0 {
		return ENOTCAPABLE
	}
	var from int64
	switch uint32(stack[2]) {
	case seekStart:
	case seekCurrent:
		from = int64(d.offset)
	case seekEnd:
		if err := s.stat(d.node); err != nil {
			return err
		}
		from = d.node.size
	default:
		return EINVAL
	}
	by := int64(stack[1])
	to := from + by
	if by > 0 && to < from {
		return EOVERFLOW
	}
	if to < 0 {
		return EINVAL
	}
	if err := s.put64(uint32(stack[3]), uint64(to)); err != nil {
		return err
	}
	d.offset = uint64(to)
	return nil
}

func (s *System) fdTell(stack []uint64) error {
	d, err := s.file(uint32(stack[0]), rightFdTell)
	if err != nil {
		return err
	}
	return s.put64(uint32(stack[1]), d.offset)
}

// fdAdvise and the syncs change nothing that a program can see.
func (s *System) fdAdvise(stack []uint64) error {
	if _, err := s.file(uint32(stack[0]), rightFdAdvise); err != nil {
		return err
	}
	if uint32(stack[3]) > 5 || stack[1] > math.MaxInt64 || stack[2] > math.MaxInt64 {
		return EINVAL
	}
	return nil
}

func (s *System) fdDatasync(stack []uint64) error {
	_, err := s.descriptor(uint32(stack[0]), rightFdDatasync)
	return err
}

func (s *System) fdSync(stack []uint64) error {
	_, err := s.descriptor(uint32(stack[0]), rightFdSync)
	return err
}

// fdAllocate makes a file long enough; it never shrinks.
func (s *System) fdAllocate(stack []uint64) error {
	d, err := s.file(uint32(stack[0]), rightFdAllocate)
	switch {
	case err != nil:
		return err
	case stack[2] == 0 || stack[1] > math.MaxInt64 || stack[2] > math.MaxInt64:
		return EINVAL
	case !d.node.mount.writable:
		return EROFS
	}
	if err := s.stat(d.node); err != nil {
		return err
	}
	if end := stack[1] + stack[2]; end > uint64(d.node.size) {
		return s.setSize(d.node, end)
	}
	return nil
}

func (s *System) fdFilestatSetSize(stack []uint64) error {
	d, err := s.file(uint32(stack[0]), rightFdFilestatSetSize)
	if err != nil {
		return err
	}
	if stack[1] > math.MaxInt64 {
		return EINVAL
	}
	return s.setSize(d.node, stack[1])
}

func (s *System) setSize(n *inode, size uint64) error {
	if !n.mount.writable {
		return EROFS
	}
	if err := s.resize(n, size); err != nil {
		return err
	}
	s.touch(n)
	return nil
}
