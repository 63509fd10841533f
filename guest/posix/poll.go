package posix

import "slices"

// layout is where the two versions of WASI put the fields of a subscription.
type layout struct {
	size, clock, timeout, flags uint32
}

var (
	layoutPreview1 = layout{size: 48, clock: 16, timeout: 24, flags: 40}
	layoutUnstable = layout{size: 56, clock: 24, timeout: 32, flags: 48}
)

const (
	pollClock = iota
	pollRead
	pollWrite
	eventBytes = 32
)

// A subscription is one thing to wait for, and what became of it.
type subscription struct {
	userdata uint64
	tag      byte
	errno    Errno
	ready    bool
	wait     uint64 // nanoseconds from now, of a clock
	bytes    uint64 // ready to be read
}

func (s *System) pollOneoff(stack []uint64) error { return s.poll(stack, layoutPreview1) }

// poll waits. Files and streams are always ready; if there is none among the
// subscriptions, time moves on to the first deadline.
func (s *System) poll(stack []uint64, at layout) error {
	in, out, count := uint32(stack[0]), uint32(stack[1]), uint32(stack[2])
	if count == 0 || count > PollMax {
		return EINVAL
	}
	list, err := s.bytes(in, count*at.size)
	if err != nil {
		return err
	}
	events, err := s.bytes(out, count*eventBytes)
	if err != nil {
		return err
	}
	answer, err := s.bytes(uint32(stack[3]), 4)
	if err != nil {
		return err
	}
	if err := s.charge(eventCost * uint64(count)); err != nil {
		return err
	}
	subscriptions := make([]subscription, count)
	for i := range subscriptions {
		if subscriptions[i], err = s.subscribe(list[uint32(i)*at.size:], at); err != nil {
			return err
		}
	}
	s.wait(subscriptions)
	n := uint32(0)
	for _, sub := range subscriptions {
		if sub.ready {
			sub.put(events[n*eventBytes:])
			n++
		}
	}
	le.PutUint32(answer, n)
	return nil
}

func (s *System) subscribe(b []byte, at layout) (subscription, error) {
	sub := subscription{userdata: le.Uint64(b), tag: b[8]}
	switch sub.tag {
	case pollClock:
		clock, timeout := le.Uint32(b[at.clock:]), le.Uint64(b[at.timeout:])
		if clock >= clocks {
			sub.errno, sub.ready = EINVAL, true
			return sub, nil
		}
		sub.wait = timeout
		if le.Uint16(b[at.flags:])&1 != 0 { // a time, not a span
			sub.wait -= min(timeout, s.time.at(clock))
		}
	case pollRead, pollWrite:
		return sub, s.readiness(&sub, le.Uint32(b[16:]))
	default:
		return sub, EINVAL
	}
	return sub, nil
}

// readiness fills in what a descriptor is ready for: always everything that it
// may be used for.
func (s *System) readiness(sub *subscription, fd uint32) error {
	sub.ready = true
	need := rightPoll | rightFdRead
	if sub.tag == pollWrite {
		need = rightPoll | rightFdWrite
	}
	d, err := s.descriptor(fd, need)
	if errno, ok := err.(Errno); ok {
		sub.errno = errno
		return nil
	}
	if sub.tag == pollWrite {
		return nil
	}
	if d.stream != nil {
		if !d.stream.end {
			sub.bytes = 1 // how many there are is not looked at
		}
		return nil
	}
	if err := s.stat(d.node); err != nil {
		return err
	}
	sub.bytes = uint64(d.node.size) - min(uint64(d.node.size), d.offset)
	return nil
}

// wait lets time pass until something is ready.
func (s *System) wait(subscriptions []subscription) {
	ready := func(sub subscription) bool { return sub.ready }
	span := uint64(0)
	if !slices.ContainsFunc(subscriptions, ready) {
		span = slices.MinFunc(subscriptions, func(a, b subscription) int {
			if a.wait < b.wait {
				return -1
			}
			return 1
		}).wait
		s.time.sleep(span)
	}
	for i := range subscriptions {
		if sub := &subscriptions[i]; sub.tag == pollClock && sub.wait <= span {
			sub.ready = true
		}
	}
}

func (sub subscription) put(b []byte) {
	clear(b[:eventBytes])
	le.PutUint64(b, sub.userdata)
	le.PutUint16(b[8:], uint16(sub.errno))
	b[10] = sub.tag
	le.PutUint64(b[16:], sub.bytes)
}
