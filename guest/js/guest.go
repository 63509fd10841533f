package js

import (
	"encoding/binary"
	"math"

	"carrel/machine"
	"carrel/turn"
)

var le = binary.LittleEndian

// A box is the address of a value of JavaScript; 0 is none.
type box = uint32

// errMemory ends a turn of code that has used up its memory.
var errMemory error = faults[1]

// errBounds ends a turn of an engine whose heap is damaged.
var errBounds error = &machine.Fault{Class: turn.Unreachable, Text: "the engine named memory that it does not have"}

// call calls a function of the engine. The error ends the turn.
func (w *Worker) call(export string, args ...uint64) (uint64, error) {
	results, err := w.instance.Call(export, args...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

// boxed calls a function of the engine that answers a box.
func (w *Worker) boxed(export string, args ...uint64) (box, error) {
	b, err := w.call(export, args...)
	if err == nil && b == 0 {
		err = errMemory
	}
	return box(b), err
}

func (w *Worker) free(b box) error {
	_, err := w.call("qjs_free_value", uint64(b))
	return err
}

// bytes is a part of the guest's memory that is to be moved, and is paid for.
func (w *Worker) bytes(at, length uint32) ([]byte, error) {
	b, ok := w.instance.Bytes(at, length)
	switch {
	case !ok:
		return nil, errBounds
	case length > BytesMax:
		return nil, errMemory
	}
	return b, w.instance.ChargeBytes(uint64(length))
}

// word is a number in the guest's memory.
func (w *Worker) word(at uint32) ([]byte, error) {
	b, ok := w.instance.Bytes(at, 4)
	if !ok {
		return nil, errBounds
	}
	return b, nil
}

// put copies bytes into memory that the engine allocates, with a zero after them.
func put[T string | []byte](w *Worker, content T) (at uint32, err error) {
	if at, err = w.boxed("wasm_malloc", uint64(len(content)+1)); err != nil {
		return 0, err
	}
	b, err := w.bytes(at, uint32(len(content)+1))
	if err != nil {
		return 0, err
	}
	b[copy(b, content)] = 0
	return at, nil
}

// putBox makes a value of bytes: export is qjs_new_string or qjs_new_array_buffer.
func putBox[T string | []byte](w *Worker, export string, content T) (box, error) {
	if len(content) <= inboxBytes {
		at := w.handles.Scratch + scratchInbox
		b, err := w.bytes(at, uint32(len(content)))
		if err != nil {
			return 0, err
		}
		copy(b, content)
		return w.boxed(export, uint64(at), uint64(len(content)))
	}
	at, err := put(w, content)
	if err != nil {
		return 0, err
	}
	b, err := w.boxed(export, uint64(at), uint64(len(content)))
	if err != nil {
		return 0, err
	}
	_, err = w.call("wasm_free", uint64(at))
	return b, err
}

func (w *Worker) number(n float64) (box, error) {
	return w.boxed("qjs_new_number", math.Float64bits(n))
}

// toNumber is a number, as the meter has them.
func (w *Worker) toNumber(b box) (uint64, error) {
	bits, err := w.call("qjs_get_float64", uint64(b))
	if err != nil {
		return 0, err
	}
	switch n := math.Float64frombits(bits); {
	case n >= ComputeMax:
		return ComputeMax, nil
	case n >= 1:
		return uint64(n), nil
	default: // or no number at all
		return 0, nil
	}
}

// span calls a function of the engine that answers where something is, and how
// long: export is qjs_get_string_len or qjs_get_array_buffer.
func (w *Worker) span(export string, b box) (at, length uint32, err error) {
	size, err := w.word(w.handles.Scratch)
	if err != nil {
		return 0, 0, err
	}
	le.PutUint32(size, 0)
	p, err := w.call(export, uint64(b), uint64(w.handles.Scratch))
	if err != nil {
		return 0, 0, err
	}
	if size, err = w.word(w.handles.Scratch); err != nil {
		return 0, 0, err
	}
	return uint32(p), le.Uint32(size), nil
}

// buffer is the content of an ArrayBuffer, where it is. What is none, or
// detached, is empty.
func (w *Worker) buffer(b box) (content []byte, at uint32, err error) {
	at, length, err := w.span("qjs_get_array_buffer", b)
	if err != nil {
		return nil, 0, err
	}
	content, err = w.bytes(at, length)
	return content, at, err
}

// text is a string, in UTF-8: what is half a surrogate pair is a U+FFFD.
func (w *Worker) text(b box) (string, error) {
	at, length, err := w.span("qjs_get_string_len", b)
	if err != nil {
		return "", err
	}
	if at == 0 {
		return "", errMemory
	}
	content, err := w.bytes(at, length)
	if err != nil {
		return "", err
	}
	text := string(scrub(content))
	_, err = w.call("qjs_free_cstring", uint64(at))
	return text, err
}

// enter calls a function of the shim with at most one argument, and frees it. None
// of them answers anything; an exception is what ends the turn.
func (w *Worker) enter(f box, args ...box) error {
	argv := uint32(0)
	if len(args) > 0 {
		argv = w.handles.Scratch + scratchArgs
		b, err := w.word(argv)
		if err != nil {
			return err
		}
		le.PutUint32(b, args[0])
	}
	result, err := w.boxed("qjs_call", uint64(f), uint64(w.handles.Undefined), uint64(len(args)), uint64(argv))
	if err != nil {
		return err
	}
	if same, err := w.undefined(result); err != nil {
		return err
	} else if !same {
		return w.uncaught()
	}
	for _, b := range append(args, result) {
		if err := w.free(b); err != nil {
			return err
		}
	}
	return w.exhausted()
}

// undefined reports whether a box holds undefined; what else a function of the
// shim leaves is the mark of an exception.
func (w *Worker) undefined(b box) (bool, error) {
	this, ok := w.instance.Bytes(b, boxBytes)
	that, also := w.instance.Bytes(w.handles.Undefined, boxBytes)
	if !ok || !also {
		return false, errBounds
	}
	return string(this) == string(that), nil
}

const boxBytes = 8

// uncaught is an exception that is nobody's, as what ends a turn.
func (w *Worker) uncaught() error {
	if err := w.exhausted(); err != nil {
		return err
	}
	exception, err := w.boxed("qjs_get_exception")
	if err != nil {
		return err
	}
	text, err := w.text(exception)
	if err != nil {
		return err
	}
	return &machine.Fault{Class: turn.Unreachable, Text: "an exception that nothing could catch: " + text}
}

// exhausted reports that the engine was refused memory in this turn, of an engine
// that tells only by its errno. Its code may have caught that: what it did then
// comes to nothing, since nothing leaves a turn without passing here.
func (w *Worker) exhausted() error {
	if w.engine.build.errno == 0 {
		return nil
	}
	number, err := w.word(w.engine.build.errno)
	if err == nil && le.Uint32(number) == errnoNoMem {
		err = errMemory
	}
	return err
}
