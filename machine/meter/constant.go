package meter

// A constExpr is the value of a constant expression: there are no imported
// globals, so it is known.
type constExpr struct {
	t        ValType
	bits, hi uint64 // hi for v128
	fn       int64  // for funcref: the function, -1 for null
}

// readConst reads and evaluates a constant expression of type want.
func (p *program) readConst(r *reader, want ValType) constExpr {
	at := r.pos
	var stack []constExpr
	for range constExprMax {
		opAt := r.pos
		switch op := r.byte(); op {
		case opI32Const:
			stack = append(stack, constExpr{t: I32, bits: uint64(uint32(r.signed(32)))})
		case opI64Const:
			stack = append(stack, constExpr{t: I64, bits: uint64(r.signed(64))})
		case opF32Const:
			stack = append(stack, constExpr{t: F32, bits: uint64(r.f32())})
		case opF64Const:
			stack = append(stack, constExpr{t: F64, bits: r.f64()})
		case opVector:
			if sub := r.u32(); sub != opV128Const {
				refuse(opAt, "constant expression required, not SIMD instruction %d", sub)
			}
			stack = append(stack, constExpr{t: V128, bits: r.f64(), hi: r.f64()})
		case opRefNull:
			stack = append(stack, constExpr{t: r.refType(), fn: -1})
		case opRefFunc:
			fn := r.u32()
			if int(fn) >= p.funcCount() {
				refuse(opAt, "unknown function %d", fn)
			}
			p.refer(fn, true)
			stack = append(stack, constExpr{t: FuncRef, fn: int64(fn)})
		case opI32Add, opI32Sub, opI32Mul, opI64Add, opI64Sub, opI64Mul:
			stack = foldConst(opAt, op, stack)
		case opGlobalGet:
			refuse(opAt, "unknown global %d: a constant expression can read imported globals only, and there are none", r.u32())
		case opEnd:
			if len(stack) != 1 || stack[0].t != want {
				refuse(at, "type mismatch: a constant expression must give one %v", want)
			}
			return stack[0]
		default:
			refuse(opAt, "constant expression required, not opcode 0x%02x", op)
		}
	}
	refuse(at, "a constant expression of more than %d instructions", constExprMax)
	return constExpr{}
}

func foldConst(at int, op byte, stack []constExpr) []constExpr {
	t := I32
	if op >= opI64Add {
		t = I64
	}
	n := len(stack)
	if n < 2 || stack[n-1].t != t || stack[n-2].t != t {
		refuse(at, "type mismatch in a constant expression")
	}
	x, y := stack[n-2].bits, stack[n-1].bits
	switch op {
	case opI32Add, opI64Add:
		x += y
	case opI32Sub, opI64Sub:
		x -= y
	default:
		x *= y
	}
	if t == I32 {
		x = uint64(uint32(x))
	}
	return append(stack[:n-2], constExpr{t: t, bits: x})
}
