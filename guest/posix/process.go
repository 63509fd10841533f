package posix

import "carrel/machine"

func (s *System) argsGet(stack []uint64) error         { return s.putStrings(s.config.Args, stack) }
func (s *System) argsSizesGet(stack []uint64) error    { return s.putSizes(s.config.Args, stack) }
func (s *System) environGet(stack []uint64) error      { return s.putStrings(s.config.Env, stack) }
func (s *System) environSizesGet(stack []uint64) error { return s.putSizes(s.config.Env, stack) }

func stringsBytes(list []string) uint32 {
	n := 0
	for _, arg := range list {
		n += len(arg) + 1
	}
	return uint32(n) // at most ArgBytesMax
}

func (s *System) putSizes(list []string, stack []uint64) error {
	if err := s.put32(uint32(stack[0]), uint32(len(list))); err != nil {
		return err
	}
	return s.put32(uint32(stack[1]), stringsBytes(list))
}

func (s *System) putStrings(list []string, stack []uint64) error {
	pointers, err := s.bytes(uint32(stack[0]), uint32(len(list))*4)
	if err != nil {
		return err
	}
	at := uint32(stack[1])
	buffer, err := s.bytes(at, stringsBytes(list))
	if err != nil {
		return err
	}
	if err := s.chargeBytes(uint64(len(pointers) + len(buffer))); err != nil {
		return err
	}
	for i, arg := range list {
		le.PutUint32(pointers[4*i:], at)
		n := copy(buffer, arg)
		buffer[n] = 0
		buffer, at = buffer[n+1:], at+uint32(n)+1
	}
	return nil
}

func (s *System) procExit(stack []uint64) error { return machine.Exit(uint32(stack[0])) }

const (
	signalNone   = 0
	signalChild  = 16
	signalCont   = 17
	signalStop   = 18
	signalTtou   = 21
	signalUrgent = 22
	signalWinch  = 27
	signalMax    = 30
	signalExit   = 128 // added to a signal's number for the exit code
)

// procRaise does what a signal does to a process that has not said otherwise:
// most end it, with 128 and the signal's number as the exit code.
func (s *System) procRaise(stack []uint64) error {
	switch signal := uint32(stack[0]); {
	case signal > signalMax:
		return EINVAL
	case signal == signalNone, signal == signalChild, signal == signalCont, signal == signalUrgent, signal == signalWinch:
		return nil
	case signal >= signalStop && signal <= signalTtou:
		return ENOTSUP // nobody could let it go on
	default:
		return machine.Exit(signalExit + signal)
	}
}

func (s *System) schedYield([]uint64) error { return nil }

// socket answers all calls of sockets: there are none.
func (s *System) socket(stack []uint64) error {
	if _, err := s.table.get(uint32(stack[0])); err != nil {
		return err
	}
	return ENOTSOCK
}
