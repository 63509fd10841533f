package posix

// The calls of wasi_unstable that are laid out otherwise than in preview 1.

// putStatsUnstable lays a status out with a link count of 32 bits.
func (s *System) putStatsUnstable(offset uint32, st stats) error {
	b, err := s.bytes(offset, 56)
	if err != nil {
		return err
	}
	clear(b)
	le.PutUint64(b, st.device)
	le.PutUint64(b[8:], st.number)
	b[16] = st.filetype
	le.PutUint32(b[20:], uint32(st.links))
	for i, v := range [...]uint64{st.size, st.atime, st.mtime, st.ctime} {
		le.PutUint64(b[24+8*i:], v)
	}
	return nil
}

func (s *System) fdFilestatGetUnstable(stack []uint64) error {
	st, err := s.fdStats(uint32(stack[0]))
	if err != nil {
		return err
	}
	return s.putStatsUnstable(uint32(stack[1]), st)
}

func (s *System) pathFilestatGetUnstable(stack []uint64) error {
	st, err := s.pathStats(stack)
	if err != nil {
		return err
	}
	return s.putStatsUnstable(uint32(stack[4]), st)
}

// fdSeekUnstable counts whence from the present place, the end, the start.
func (s *System) fdSeekUnstable(stack []uint64) error {
	switch uint32(stack[2]) {
	case 0:
		stack[2] = seekCurrent
	case 1:
		stack[2] = seekEnd
	case 2:
		stack[2] = seekStart
	}
	return s.fdSeek(stack)
}

func (s *System) pollOneoffUnstable(stack []uint64) error { return s.poll(stack, layoutUnstable) }
