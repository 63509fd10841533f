package machine

// Share is the program for somebody who closes it: that releases nothing. It is
// good as long as p is.
func (p *Program) Share() *Program {
	return &Program{Module: p.Module, code: shared{p.code}, Detect: p.Detect}
}

type shared struct{ Code }

func (shared) Close() error { return nil }
