package machine

// Share is the program for somebody who closes it: that releases nothing. It is
// good as long as p is.
func (p *Program) Share() *Program {
	same := *p
	same.code = shared{p.code}
	return &same
}

type shared struct{ Code }

func (shared) Close() error { return nil }
