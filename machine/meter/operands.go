package meter

// A slot is a value on the operand stack: its type in the low byte (0 where
// dead code leaves it open) and, for floats, where its bits come from above:
// fixed, made by arithmetic, or as the local with the given index has them.
type slot uint32

const (
	fixed slot = 0
	made  slot = 1 << 8
)

func asLocal(index uint32) slot { return slot(index+2) << 8 }

func (s slot) valType() ValType { return ValType(s) }

func (s slot) provenance() slot { return s &^ 0xff }

func (s slot) local() (uint32, bool) { return uint32(s>>8) - 2, s >= 2<<8 }

func (v *validator) push(s slot) {
	v.stack = append(v.stack, s)
	if len(v.stack) > v.height {
		v.height = len(v.stack)
		if v.height > heightMax {
			refuse(v.pos, "more than %d operands on the stack", heightMax)
		}
	}
}

func (v *validator) popAny(at int) slot {
	f := v.top()
	if len(v.stack) == f.height {
		if !f.unreachable {
			refuse(at, "type mismatch: the stack is empty")
		}
		return 0
	}
	s := v.stack[len(v.stack)-1]
	v.stack = v.stack[:len(v.stack)-1]
	return s
}

func (v *validator) pop(at int, want ValType) slot {
	f := v.top()
	if n := len(v.stack) - 1; n >= f.height {
		s := v.stack[n]
		if t := s.valType(); t == want || t == 0 {
			v.stack = v.stack[:n]
			return s
		}
		refuse(at, "type mismatch: %v wanted, %v on the stack", want, s.valType())
	}
	if !f.unreachable {
		refuse(at, "type mismatch: %v wanted, the stack is empty", want)
	}
	return slot(want)
}

func (v *validator) popAll(at int, types []ValType) {
	for i := len(types) - 1; i >= 0; i-- {
		v.pop(at, types[i])
	}
}

// pushAll pushes values of unknown origin.
func (v *validator) pushAll(types []ValType, origin slot) {
	for _, t := range types {
		v.push(slot(t) | origin)
	}
}

// peek checks the top of the stack against types and leaves it.
func (v *validator) peek(at int, types []ValType) {
	f := v.top()
	for i := range types {
		n := len(v.stack) - len(types) + i
		if n < f.height {
			if !f.unreachable {
				refuse(at, "type mismatch: %d values wanted for a branch", len(types))
			}
			continue
		}
		if t := v.stack[n].valType(); t != 0 && t != types[i] {
			refuse(at, "type mismatch: %v wanted, %v on the stack", types[i], t)
		}
	}
}
