package wasmgen

// A source gives the choices of a generator. It is a splitmix64 sequence, or
// the bytes of a fuzzer while there are any and zeros after them.
type source struct {
	state  uint64
	data   []byte
	fuzzed bool
}

// word is the next 64 bits.
func (s *source) word() uint64 {
	if s.fuzzed {
		var v uint64
		for range 8 {
			v = v<<8 | uint64(s.take())
		}
		return v
	}
	s.state += 0x9e3779b97f4a7c15
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (s *source) take() byte {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return b
}

// n is a number below limit, which is positive.
func (s *source) n(limit int) int {
	if s.fuzzed && limit <= 256 {
		return int(s.take()) % limit
	}
	return int(s.word() % uint64(limit))
}

// chance is true perMille times out of 1000. A fuzzer without bytes says no.
func (s *source) chance(perMille int) bool {
	if s.fuzzed {
		return int(255-s.take())*1000 < perMille*256
	}
	return s.n(1000) < perMille
}

// between is a number from low to high, both included.
func (s *source) between(low, high int) int { return low + s.n(high-low+1) }

func one[T any](s *source, all []T) T { return all[s.n(len(all))] }
