package meter

import (
	"encoding/binary"
	"fmt"
	"unicode/utf8"
)

// A reader walks over a program's bytes. What cannot be read is refused: by a
// panic with a *Refusal, which Rewrite turns into its error.
type reader struct {
	b   []byte // the whole program, so that offsets are offsets in it
	pos int
	end int
}

func refuse(offset int, format string, args ...any) {
	panic(&Refusal{Offset: offset, Reason: fmt.Sprintf(format, args...)})
}

func (r *reader) left() int { return r.end - r.pos }

func (r *reader) byte() byte {
	if r.pos >= r.end {
		refuse(r.pos, "unexpected end")
	}
	b := r.b[r.pos]
	r.pos++
	return b
}

func (r *reader) bytes(n int) []byte {
	if n > r.left() {
		refuse(r.pos, "unexpected end: %d bytes wanted, %d left", n, r.left())
	}
	b := r.b[r.pos : r.pos+n : r.pos+n]
	r.pos += n
	return b
}

// u32 reads an unsigned LEB128 of at most 32 bits.
func (r *reader) u32() uint32 {
	if r.pos < r.end {
		if b := r.b[r.pos]; b < 0x80 {
			r.pos++
			return uint32(b)
		}
	}
	start, x := r.pos, uint32(0)
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if shift == 28 {
			if b&0x80 != 0 {
				refuse(start, "integer representation too long")
			}
			if b > 0x0f {
				refuse(start, "integer too large")
			}
		}
		x |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return x
		}
	}
}

// signed reads a signed LEB128 of at most the given number of bits.
func (r *reader) signed(bits int) int64 {
	start, x := r.pos, int64(0)
	for shift := 0; ; shift += 7 {
		b := r.byte()
		if left := bits - shift; left < 7 {
			// The last byte: no continuation, and unused bits repeat the sign.
			if b&0x80 != 0 {
				refuse(start, "integer representation too long")
			}
			if top := int8(b<<1) >> left; top != 0 && top != -1 {
				refuse(start, "integer too large")
			}
		}
		x |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift+7 < 64 && b&0x40 != 0 {
				x |= -1 << (shift + 7)
			}
			return x
		}
	}
}

// count reads the length of a vector, of at most limit items of at least one
// byte each.
func (r *reader) count(what string, limit int) int {
	start := r.pos
	n := r.u32()
	if int64(n) > int64(limit) {
		refuse(start, "%d %s, the limit is %d", n, what, limit)
	}
	if int(n) > r.left() {
		refuse(start, "unexpected end: %d %s announced", n, what)
	}
	return int(n)
}

func (r *reader) name() string {
	start := r.pos
	n := r.u32()
	if n > nameBytesMax {
		refuse(start, "a name of %d bytes, the limit is %d", n, nameBytesMax)
	}
	b := r.bytes(int(n))
	if !utf8.Valid(b) {
		refuse(start, "malformed UTF-8 encoding of a name")
	}
	return string(b)
}

func (r *reader) valType() ValType {
	start := r.pos
	t := ValType(r.byte())
	switch t {
	case I32, I64, F32, F64, V128, FuncRef, ExternRef:
		return t
	}
	refuse(start, "malformed value type 0x%02x", byte(t))
	return 0
}

func (r *reader) refType() ValType {
	start := r.pos
	t := r.valType()
	if !t.Reference() {
		refuse(start, "malformed reference type %v", t)
	}
	return t
}

func (r *reader) f32() uint32 { return binary.LittleEndian.Uint32(r.bytes(4)) }
func (r *reader) f64() uint64 { return binary.LittleEndian.Uint64(r.bytes(8)) }
