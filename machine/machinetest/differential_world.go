package machinetest

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"

	"carrel/machine/machinetest/wasmgen"
	"carrel/machine/meter"
)

// A guest is what the world needs of a running module, metered or not.
type guest interface {
	Memory() []byte
	Call(export string, args ...uint64) ([]uint64, error)
	Has(export string) bool
	Charge(units uint64) error
}

// A world serves the imports of a generated module. Its answers depend only on
// what was asked of it so far, and it writes down all of that.
type world struct {
	log    []string
	seen   uint64 // digest of the log
	nested int    // calls back into the guest under way

	calls, charged uint64 // calls of the world, and what it charged for them
}

// nestedMost is how deep the world calls back: below what kills an engine.
const nestedMost = 4

// errExit is how the world ends a guest that asked for it.
type errExit struct{ code uint32 }

func (e errExit) Error() string { return fmt.Sprintf("exit %d", e.code) }

func (w *world) note(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	w.log = append(w.log, line)
	for _, b := range []byte(line) {
		w.seen = (w.seen ^ uint64(b)) * 0x100000001b3
	}
}

// answer is a word that follows from all that happened so far.
func (w *world) answer() uint64 {
	z := w.seen ^ w.seen>>29
	z *= 0x94d049bb133111eb
	return z ^ z>>31
}

// call serves one import. Parameters are at the start of stack, canonical where
// they are NaN; results replace them.
func (w *world) call(g guest, im wasmgen.Import, stack []uint64) error {
	args := append([]uint64(nil), stack[:len(im.Params)]...)
	w.note("%s %x", im.Name, args)
	w.calls++
	switch im.Name {
	case "exit":
		return errExit{uint32(args[0]) & 0xff}
	case "work":
		w.charged += args[0] & 0xfff
		return g.Charge(args[0] & 0xfff)
	case "poke":
		if at, memory := uint64(uint32(args[0])), g.Memory(); at+4 <= uint64(len(memory)) {
			binary.LittleEndian.PutUint32(memory[at:], uint32(args[1]))
		}
	case "peek":
		at, memory := uint64(uint32(args[0])), g.Memory()
		w.note("memory %d %08x", len(memory), crc32.ChecksumIEEE(memory))
		if stack[0] = 0; at+4 <= uint64(len(memory)) {
			stack[0] = uint64(binary.LittleEndian.Uint32(memory[at:]))
		}
	case "again":
		if stack[0] = 7; w.nested == nestedMost || !g.Has("again") {
			return nil
		}
		w.nested++
		results, err := g.Call("again", args[0]&0xff)
		w.nested--
		if err != nil {
			return err
		}
		stack[0] = results[0]
	default:
		for i, t := range im.Results {
			stack[i] = w.value(t, w.answer()+uint64(i))
		}
	}
	return nil
}

// value makes a value of a type out of a word; some are NaNs with a payload.
func (w *world) value(t wasmgen.ValType, word uint64) uint64 {
	switch {
	case t == wasmgen.I32:
		return uint64(uint32(word))
	case t == wasmgen.F32 && word%4 > 0:
		return uint64(math.Float32bits(float32(int32(word>>8)) / 16))
	case t == wasmgen.F32:
		return 0x7f800000 | uint64(uint32(word))
	case t == wasmgen.F64 && word%4 > 0:
		return math.Float64bits(float64(int32(word>>8)) / 16)
	case t == wasmgen.F64:
		return 0x7ff0000000000000 | word
	}
	return word
}

// arguments are what an export is called with.
func arguments(export string, params []meter.ValType) []uint64 {
	w := &world{}
	args := make([]uint64, len(params))
	for i, t := range params {
		w.note("%s %d", export, i)
		args[i] = w.value(wasmgen.ValType(t), w.answer())
	}
	return args
}

// canonicalNaNs does to values that leave a guest what the machine does.
func canonicalNaNs(values []uint64, types []wasmgen.ValType) {
	for i, t := range types {
		if t == wasmgen.I32 || t == wasmgen.F32 {
			values[i] &= math.MaxUint32 // an engine leaves anything in the rest
		}
		switch {
		case t == wasmgen.F32 && uint32(values[i])&0x7fffffff > 0x7f800000:
			values[i] = meter.CanonicalNaN32
		case t == wasmgen.F64 && values[i]&^(1<<63) > 0x7ff0000000000000:
			values[i] = meter.CanonicalNaN64
		}
	}
}
