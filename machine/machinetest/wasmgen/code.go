package wasmgen

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Func is a function under construction.
type Func struct {
	Index           uint32 // among all functions, imports first
	Params, Results []ValType
	// Raw is the whole body when it is not nil: locals, code and end.
	Raw []byte

	module *Module
	count  *counter // nil unless the function counts what it costs
	typ    uint32
	locals []ValType
	body   []byte
}

// Block types that name no function type, as immediates of block, loop and if.
// A value type's block type is BlockType(t); a function type's is its index.
const Void int64 = -64

// BlockType is the block type of a block without parameters and one result.
func BlockType(t ValType) int64 { return int64(t) - 0x80 }

// Local adds a local variable and returns its index; parameters come first.
func (f *Func) Local(t ValType) int64 {
	f.locals = append(f.locals, t)
	return int64(len(f.Params) + len(f.locals) - 1)
}

// Bytes appends raw code.
func (f *Func) Bytes(b ...byte) *Func {
	f.body = append(f.body, b...)
	return f
}

// Op appends one instruction with its immediates. Those of a load or store are
// offset and, unless it is the natural one, log2 of the alignment; floats are
// bits; a v128 is two halves, the low one first; br_table takes its labels and
// the default last; select with types ("select_t") takes value types;
// i8x16.shuffle takes 16 lanes. Index immediates that are left out are 0.
func (f *Func) Op(name string, imm ...int64) *Func {
	if f.count != nil {
		f.body = f.count.before(f.body, name, imm)
	}
	f.body = appendOp(f.body, name, imm)
	return f
}

// F32 appends an f32.const.
func (f *Func) F32(v float32) *Func { return f.Op("f32.const", int64(math.Float32bits(v))) }

// F64 appends an f64.const.
func (f *Func) F64(v float64) *Func { return f.Op("f64.const", int64(math.Float64bits(v))) }

// Code assembles text: an instruction on each line or between semicolons, its
// immediates after it, in the order that Op takes them. "#" begins a comment. A
// block type is a value type, a type index, or nothing. Float constants are
// written as Go reads them, or as bits: "f32.const 0x7fa00000" has them where
// the text begins with 0x and holds no p.
func (f *Func) Code(text string) *Func {
	f.body = append(f.body, assemble(text)...)
	return f
}

// Const assembles a constant expression, without its end: offsets, initial
// values of globals, entries of element segments.
func Const(text string) []byte { return assemble(text) }

// encode is the function's entry in the code section.
func (f *Func) encode() []byte {
	if f.Raw != nil {
		return append(U32(nil, uint32(len(f.Raw))), f.Raw...)
	}
	var runs uint32
	var locals []byte
	for i := 0; i < len(f.locals); {
		j := i
		for j < len(f.locals) && f.locals[j] == f.locals[i] {
			j++
		}
		locals = append(U32(locals, uint32(j-i)), byte(f.locals[i]))
		runs++
		i = j
	}
	b := append(U32(nil, runs), locals...)
	if f.count != nil {
		b = f.count.enter(b, len(f.Params)+len(f.locals))
	}
	b = append(append(b, f.body...), 0x0b)
	return append(U32(nil, uint32(len(b))), b...)
}

func appendOp(b []byte, name string, imm []int64) []byte {
	in, ok := byName[name]
	if !ok {
		panic("wasmgen: no instruction " + name)
	}
	if in.Prefix == 0 {
		b = append(b, byte(in.Code))
	} else {
		b = U32(append(b, in.Prefix), in.Code)
	}
	next := func(otherwise int64) int64 {
		if len(imm) == 0 {
			return otherwise
		}
		v := imm[0]
		imm = imm[1:]
		return v
	}
	for _, kind := range in.Imm {
		switch kind {
		case 'x', 'n':
			b = U64(b, uint64(next(0)))
		case 'z':
			b = append(b, 0)
		case 's', 'S':
			b = S64(b, next(0))
		case 'b':
			b = S64(b, next(Void))
		case 'h':
			b = append(b, byte(next(int64(FuncRef))))
		case 'f':
			b = binary.LittleEndian.AppendUint32(b, uint32(next(0)))
		case 'd':
			b = binary.LittleEndian.AppendUint64(b, uint64(next(0)))
		case 'V':
			b = binary.LittleEndian.AppendUint64(b, uint64(next(0)))
			b = binary.LittleEndian.AppendUint64(b, uint64(next(0)))
		case 'm':
			offset := uint64(next(0))
			align := uint64(in.Natural)
			if len(imm) > strings.Count(in.Imm, "n") {
				align = uint64(next(0))
			}
			b = U64(U64(b, align), offset)
		case 'w':
			for range 16 {
				b = append(b, byte(next(0)))
			}
		case 't':
			b = U32(b, uint32(len(imm)-1))
			for len(imm) > 0 {
				b = U64(b, uint64(next(0)))
			}
		case 'T':
			b = U32(b, uint32(len(imm)))
			for len(imm) > 0 {
				b = append(b, byte(next(0)))
			}
		}
	}
	if len(imm) > 0 {
		panic(fmt.Sprintf("wasmgen: %s has %d immediates too many", name, len(imm)))
	}
	return b
}

func assemble(text string) []byte {
	var b []byte
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for part := range strings.SplitSeq(line, ";") {
			fields := strings.Fields(part)
			if len(fields) == 0 {
				continue
			}
			var imm []int64
			for _, field := range fields[1:] {
				imm = append(imm, immediate(fields[0], field))
			}
			b = appendOp(b, fields[0], imm)
		}
	}
	return b
}

// immediate reads one immediate of an instruction.
func immediate(name, text string) int64 {
	for t, typeName := range typeNames {
		if text != typeName {
			continue
		}
		if in := byName[name]; in != nil && in.Imm == "b" {
			return BlockType(t)
		}
		return int64(t)
	}
	bits := strings.HasPrefix(text, "0x") && !strings.ContainsAny(text, "pP")
	if size := map[string]int{"f32.const": 32, "f64.const": 64}[name]; size != 0 && !bits {
		v, err := strconv.ParseFloat(text, size)
		if err != nil {
			panic("wasmgen: " + err.Error())
		}
		if size == 32 {
			return int64(math.Float32bits(float32(v)))
		}
		return int64(math.Float64bits(v))
	}
	v, err := strconv.ParseInt(text, 0, 64)
	if err != nil {
		u, errU := strconv.ParseUint(text, 0, 64)
		if errU != nil {
			panic("wasmgen: " + err.Error())
		}
		v = int64(u)
	}
	if name == "i32.const" {
		v = int64(int32(v))
	}
	return v
}
