package meter

import "encoding/binary"

// A emitter appends instructions to a function body.
type emitter struct{ b []byte }

func (e *emitter) op(op ...byte) { e.b = append(e.b, op...) }

func (e *emitter) indexed(op byte, i uint32) { e.b = appendU32(append(e.b, op), i) }

func (e *emitter) localGet(i uint32)  { e.indexed(opLocalGet, i) }
func (e *emitter) localSet(i uint32)  { e.indexed(opLocalSet, i) }
func (e *emitter) localTee(i uint32)  { e.indexed(opLocalTee, i) }
func (e *emitter) globalGet(i uint32) { e.indexed(opGlobalGet, i) }
func (e *emitter) globalSet(i uint32) { e.indexed(opGlobalSet, i) }
func (e *emitter) call(fn uint32)     { e.indexed(opCall, fn) }

func (e *emitter) i32(x int32) { e.b = appendS64(append(e.b, opI32Const), int64(x)) }
func (e *emitter) i64(x int64) { e.b = appendS64(append(e.b, opI64Const), x) }

func (e *emitter) vector(sub uint32) { e.indexed(opVector, sub) }

func (e *emitter) nan32() {
	e.b = binary.LittleEndian.AppendUint32(append(e.b, opF32Const), CanonicalNaN32)
}

func (e *emitter) nan64() {
	e.b = binary.LittleEndian.AppendUint64(append(e.b, opF64Const), CanonicalNaN64)
}

func (e *emitter) nans(lanes32 bool) {
	e.vector(opV128Const)
	for range 2 {
		if lanes32 {
			e.b = binary.LittleEndian.AppendUint64(e.b, CanonicalNaN32<<32|CanonicalNaN32)
		} else {
			e.b = binary.LittleEndian.AppendUint64(e.b, CanonicalNaN64)
		}
	}
}

// Block types.
const typeVoid = 0x40

// blockType appends the type of a block that takes nothing; multi gives the
// type index for several results.
func (e *emitter) blockType(op byte, results []ValType, multi func([]ValType) uint32) {
	e.b = append(e.b, op)
	switch len(results) {
	case 0:
		e.b = append(e.b, typeVoid)
	case 1:
		e.b = append(e.b, byte(results[0]))
	default:
		e.b = appendS64(e.b, int64(multi(results)))
	}
}
