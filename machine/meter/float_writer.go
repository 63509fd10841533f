package meter

import "math"

// putAway takes the float on top into a local.
func (w *bodyWriter) putAway(single bool) (tmp uint32) {
	tmp = w.tmpF64
	if single {
		tmp = w.tmpF32
	}
	w.localSet(tmp)
	return tmp
}

// ordered asks whether a local is no NaN. Compared by >= with itself that is one
// jump on amd64; by == it is two.
func (w *bodyWriter) ordered(single bool, tmp uint32) {
	w.localGet(tmp)
	w.localGet(tmp)
	if single {
		w.op(opF32Ge)
	} else {
		w.op(opF64Ge)
	}
}

func (w *bodyWriter) nan(single bool) {
	if single {
		w.nan32()
	} else {
		w.nan64()
	}
}

// canon makes the float on top canonical.
func (w *bodyWriter) canon(single bool) {
	tmp := w.putAway(single)
	w.op(opBlock, typeVoid)
	w.ordered(single, tmp)
	w.op(opBrIf, 0)
	w.nan(single)
	w.localSet(tmp)
	w.op(opEnd)
	w.localGet(tmp)
}

// store writes a store of the float on top, made canonical: twice, so that the
// value stored needs no other register than it has.
func (w *bodyWriter) store(single bool, raw []byte) {
	tmp := w.putAway(single)
	w.ordered(single, tmp)
	w.b = appendS64(append(w.b, opIf), int64(w.r.typeIndex(FuncType{Params: []ValType{I32}})))
	w.localGet(tmp)
	w.op(raw...)
	w.op(opElse)
	w.nan(single)
	w.op(raw...)
	w.op(opEnd)
}

// copysign is written with integers: wasmtime 39 on amd64 reads 16 bytes for an
// operand that comes straight from memory, and traps at the end of memory.
func (w *bodyWriter) copysign(single bool) {
	part := func(reinterpret, and byte, mask int64) {
		w.op(reinterpret)
		if single {
			w.i32(int32(mask >> 32))
		} else {
			w.i64(mask)
		}
		w.op(and)
	}
	tmp, reinterpret, and, or, back := w.tmpF64, byte(opI64ReinterpretF64), byte(opI64And), byte(opI64Or), byte(opF64ReinterpretI64)
	magnitude, sign := int64(math.MaxInt64), int64(math.MinInt64)
	if single {
		tmp, reinterpret, and, or, back = w.tmpF32, opI32ReinterpretF32, opI32And, opI32Or, opF32ReinterpretI32
	}
	w.localSet(tmp)
	part(reinterpret, and, magnitude)
	w.localGet(tmp)
	part(reinterpret, and, sign)
	w.op(or, back)
}

// lanes makes the lanes of the v128 on top canonical.
func (w *bodyWriter) lanes(single bool) {
	nans, eq := w.nans64, uint32(opF64x2Eq)
	if single {
		nans, eq = w.nans32, opF32x4Eq
	}
	w.localTee(w.tmpV128)
	w.localGet(nans)
	w.localGet(w.tmpV128)
	w.localGet(w.tmpV128)
	w.vector(eq)
	w.vector(opV128Bitselect)
}
