package xsnap

import "carrel/turn"

// importModule imports a file as a module, with what it imports. As of XS, what it
// throws is no failure of the command: it is told when the worker ends.
func (s *server) importModule(path string) error {
	if s.modules[path] {
		return s.okay(0, nil)
	}
	source, err := s.host.Module(path)
	if err != nil {
		s.module = "TypeError: cannot import " + path + ": " + strerror(err)
		return s.okay(0, nil)
	}
	reply, err := s.worker.Evaluate(source)
	switch {
	case err != nil:
		return err
	case reply.Outcome.Class != turn.Exit:
		return s.fault(reply.Outcome)
	case reply.Thrown != nil:
		s.module = reply.Thrown.Text
	default:
		s.module, s.modules[path] = "", true
	}
	if s.failed {
		return s.send([]byte("!"))
	}
	return s.okay(reply.Compute, nil)
}
