package js

import (
	"encoding/base64"
	"fmt"
	"slices"
	"unicode/utf8"

	"carrel/machine"
	"carrel/turn"
)

// A hostFunc is a function that the shim calls by name. It answers a box that the
// engine frees, or 0 for undefined.
type hostFunc func(w *Worker, args []box) (box, error)

// hostFuncs are all that reach out of a worker. The shim alone has them, and
// gives each as many arguments as it is listed with, of the type it wants; what
// is not so ends the turn.
var hostFuncs = []struct {
	name   string
	params int
	do     hostFunc
}{
	{"encode", 1, (*Worker).encode},             // string → ArrayBuffer
	{"decode", 1, (*Worker).decode},             // ArrayBuffer → string, with U+FFFD for what is no UTF-8
	{"decodeStrict", 1, (*Worker).decodeStrict}, // … or undefined
	{"toBase64", 1, (*Worker).toBase64},         // ArrayBuffer → string
	{"fromBase64", 1, (*Worker).fromBase64},     // string → ArrayBuffer
	{"log", 1, (*Worker).log},                   // string
	{"warn", 1, (*Worker).warn},                 // string
	{"command", 1, (*Worker).command},           // ArrayBuffer → ArrayBuffer, or a string to be thrown
	{"collect", 0, (*Worker).collect},           //
	{"now", 0, (*Worker).now},                   // → milliseconds since 1970
	{"meterLimit", 0, (*Worker).meterLimit},     // → number
	{"meterReset", 2, (*Worker).meterReset},     // limit, index → index before
	{"replyBytes", 1, (*Worker).replyBytes},     // ArrayBuffer
	{"replyValue", 2, (*Worker).replyValue},     // type, text
	{"replyThrown", 3, (*Worker).replyThrown},   // text, stack, what it was thrown for: the result, or nothing
}

const hostNameBytesMax = 16

// serve is a call of an import.
func (w *Worker) serve(do func(*Worker, []uint64) error, stack []uint64) error {
	if err := w.exhausted(); err != nil {
		return err
	}
	return do(w, stack)
}

func (w *Worker) hostFault(stack []uint64) error {
	if fault, ok := faults[stack[0]]; ok {
		return fault
	}
	return &machine.Fault{Class: turn.Unreachable, Text: fmt.Sprintf("the engine ends with an unknown fault %d", stack[0])}
}

func (w *Worker) hostCall(stack []uint64) error {
	name, length, argc, argv := uint32(stack[0]), uint32(stack[1]), uint32(stack[3]), uint32(stack[4])
	b, ok := w.instance.Bytes(name, min(length, hostNameBytesMax))
	if !ok {
		return errNoFunc
	}
	n := slices.IndexFunc(hostFuncs, func(f struct {
		name   string
		params int
		do     hostFunc
	}) bool {
		return f.name == string(b)
	})
	if n < 0 || hostFuncs[n].params != int(argc) {
		return errNoFunc
	}
	args := make([]box, argc)
	for n := range args {
		word, err := w.word(argv + 4*uint32(n))
		if err != nil {
			return err
		}
		args[n] = le.Uint32(word)
	}
	result, err := hostFuncs[n].do(w, args)
	if err == nil && result == 0 {
		result, err = w.boxed("qjs_get_undefined")
	}
	stack[0] = uint64(result)
	return err
}

var errNoFunc = &machine.Fault{Class: turn.Unreachable, Text: "the engine calls a function that the host does not have, or with other arguments"}

func (w *Worker) encode(args []box) (box, error) {
	at, length, err := w.span("qjs_get_string_len", args[0])
	if err != nil {
		return 0, err
	}
	if at == 0 {
		return 0, errMemory
	}
	content, err := w.bytes(at, length)
	if err != nil {
		return 0, err
	}
	scrub(content)
	b, err := w.boxed("qjs_new_array_buffer", uint64(at), uint64(length))
	if err != nil {
		return 0, err
	}
	_, err = w.call("qjs_free_cstring", uint64(at))
	return b, err
}

func (w *Worker) decode(args []box) (box, error) {
	content, at, err := w.buffer(args[0])
	if err != nil {
		return 0, err
	}
	if !utf8.Valid(content) {
		return putBox(w, "qjs_new_string", repair(content))
	}
	return w.boxed("qjs_new_string", uint64(at), uint64(len(content)))
}

func (w *Worker) decodeStrict(args []box) (box, error) {
	content, at, err := w.buffer(args[0])
	if err != nil || !utf8.Valid(content) {
		return 0, err
	}
	return w.boxed("qjs_new_string", uint64(at), uint64(len(content)))
}

func (w *Worker) toBase64(args []box) (box, error) {
	content, _, err := w.buffer(args[0])
	if err != nil {
		return 0, err
	}
	return putBox(w, "qjs_new_string", base64.StdEncoding.EncodeToString(content))
}

// fromBase64 passes over what is no character of Base64, and stops at none.
func (w *Worker) fromBase64(args []box) (box, error) {
	text, err := w.text(args[0])
	if err != nil {
		return 0, err
	}
	known := make([]byte, 0, len(text))
	for n := range len(text) {
		switch c := text[n]; {
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			known = append(known, c)
		}
	}
	if len(known)%4 == 1 {
		known = known[:len(known)-1] // six bits are no byte
	}
	content := make([]byte, base64.RawStdEncoding.DecodedLen(len(known)))
	if _, err := base64.RawStdEncoding.Decode(content, known); err != nil {
		return 0, err
	}
	return putBox(w, "qjs_new_array_buffer", content)
}

func (w *Worker) log(args []box) (box, error) {
	line, err := w.text(args[0])
	if err != nil {
		return 0, err
	}
	return 0, w.print(line)
}

// warn tells of an exception that is nobody's.
func (w *Worker) warn(args []box) (box, error) {
	line, err := w.text(args[0])
	if err != nil {
		return 0, err
	}
	return 0, w.warnLine(line)
}

func (w *Worker) warnLine(line string) error {
	if w.config.Warn == nil {
		return w.print(line)
	}
	if err := w.config.Warn(line); err != nil {
		return w.fail(fmt.Errorf("warn: %w", err))
	}
	return nil
}

func (w *Worker) print(line string) error {
	if w.config.Print == nil {
		return nil
	}
	if err := w.config.Print(line); err != nil {
		return w.fail(fmt.Errorf("print: %w", err))
	}
	return nil
}

func (w *Worker) command(args []box) (box, error) {
	content, _, err := w.buffer(args[0])
	if err != nil {
		return 0, err
	}
	if w.config.Command == nil {
		return putBox(w, "qjs_new_string", "nobody answers commands")
	}
	answer, err := w.config.Command(slices.Clone(content))
	if refusal := (Refusal)(""); asRefusal(err, &refusal) {
		return putBox(w, "qjs_new_string", string(refusal))
	} else if err != nil {
		return 0, w.fail(fmt.Errorf("answer command: %w", err))
	}
	if len(answer) > BytesMax {
		return 0, w.fail(fmt.Errorf("answer command: %d bytes, the limit is %d", len(answer), BytesMax))
	}
	return putBox(w, "qjs_new_array_buffer", answer)
}

func (w *Worker) collect([]box) (box, error) {
	_, err := w.call("qjs_run_gc")
	return 0, err
}

func (w *Worker) now([]box) (box, error) {
	return w.number(float64(w.readClock(clockRealtime)/1000) / 1000)
}

func (w *Worker) replyBytes(args []box) (box, error) {
	content, _, err := w.buffer(args[0])
	w.reply = &Reply{Type: TypeBytes, Bytes: slices.Clone(content)}
	return 0, err
}

func (w *Worker) replyValue(args []box) (box, error) {
	kind, err := w.text(args[0])
	if err != nil {
		return 0, err
	}
	text, err := w.text(args[1])
	w.reply = &Reply{Type: kind, Text: text}
	return 0, err
}

func (w *Worker) replyThrown(args []box) (box, error) {
	text, err := w.text(args[0])
	if err != nil {
		return 0, err
	}
	stack, err := w.text(args[1])
	if err != nil {
		return 0, err
	}
	kind, err := w.text(args[2])
	w.reply = &Reply{Thrown: &Exception{Text: text, Stack: stack, Result: kind != ""}}
	return 0, err
}

// A rejection is a promise that was rejected, and nobody has handled it yet.
type rejection struct {
	promise, reason box
	object          uint32 // what is the same for the same promise
}

func (w *Worker) promiseRejection(stack []uint64) error {
	r := rejection{promise: uint32(stack[0]), reason: uint32(stack[1])}
	object, err := w.call("qjs_get_value_ptr", uint64(r.promise))
	if err != nil {
		return err
	}
	r.object = uint32(object)
	if stack[2] == 0 {
		if len(w.rejections) < RejectionsMax {
			w.rejections = append(w.rejections, r)
			return nil
		}
		w.untold++
		return w.drop(r)
	}
	if n := slices.IndexFunc(w.rejections, func(before rejection) bool { return before.object == r.object }); n >= 0 {
		before := w.rejections[n]
		w.rejections = slices.Delete(w.rejections, n, n+1)
		if err := w.drop(before); err != nil {
			return err
		}
	}
	return w.drop(r)
}

func (w *Worker) drop(r rejection) error {
	if err := w.free(r.promise); err != nil {
		return err
	}
	return w.free(r.reason)
}
