package zencode

import (
	"encoding/binary"
	"math"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

var le = binary.LittleEndian

// A function of the host: types are i for i32, l for i64 and d for f64.
type function struct {
	module, name    string
	params, results string
	do              func(*run, []uint64) error
}

// functions are what the engine may ask for: those of Emscripten, as its JavaScript
// has them in UTC, without an environment, and with files that can only be read.
var functions = []function{
	{"env", "emscripten_asm_const_int", "iii", "i", (*run).javascript},
	{"env", "_emscripten_fs_load_embedded_files", "i", "", (*run).embedded},
	{"env", "__syscall_openat", "iiii", "i", (*run).openat},
	{"env", "__syscall_fcntl64", "iii", "i", (*run).fcntl},
	{"env", "__syscall_ioctl", "iii", "i", answer(-errnoNotty)},
	{"env", "__syscall_dup3", "iii", "i", answer(-errnoInval)},
	{"env", "emscripten_date_now", "", "d", (*run).dateNow},
	{"env", "_tzset_js", "iiii", "", (*run).tzset},
	{"env", "_gmtime_js", "li", "", (*run).gmtime},
	{"env", "_localtime_js", "li", "", (*run).gmtime},
	{"env", "_mktime_js", "i", "l", (*run).mktime},
	{"env", "emscripten_resize_heap", "i", "i", (*run).resize},
	{"env", "_setitimer_js", "id", "i", answer(0)},
	{"env", "_emscripten_runtime_keepalive_clear", "", "", nothing},
	{"env", "exit", "i", "", gaveUp},
	{"env", "_abort_js", "", "", gaveUp},
	{"wasi_snapshot_preview1", "proc_exit", "i", "", gaveUp},
	{"wasi_snapshot_preview1", "clock_time_get", "ili", "i", (*run).clockTimeGet},
	{"wasi_snapshot_preview1", "environ_sizes_get", "ii", "i", (*run).environSizes},
	{"wasi_snapshot_preview1", "environ_get", "ii", "i", answer(0)},
	{"wasi_snapshot_preview1", "fd_read", "iiii", "i", (*run).fdRead},
	{"wasi_snapshot_preview1", "fd_write", "iiii", "i", (*run).fdWrite},
	{"wasi_snapshot_preview1", "fd_seek", "ilii", "i", (*run).fdSeek},
	{"wasi_snapshot_preview1", "fd_close", "i", "i", (*run).fdClose},
}

// throwLongjmp is how this engine asks for machine.Longjmp: it has noted before where
// it wants to go.
var throwLongjmp = [2]string{meter.InvokeModule, "_emscripten_throw_longjmp"}

var imports = func() machine.Imports {
	all := machine.Imports{
		machine.LongjmpName: machine.Longjmp,
		throwLongjmp:        {Call: machine.Longjmp.Call},
	}
	for _, f := range functions {
		all[[2]string{f.module, f.name}] = machine.HostImport{
			Type: meter.FuncType{Params: types(f.params), Results: types(f.results)},
			Call: func(i *machine.Instance, stack []uint64) error { return f.do(i.Guest.(*run), stack) },
		}
	}
	all[invokeName] = invoke(all)
	return all
}()

func types(letters string) (all []meter.ValType) {
	for _, letter := range letters {
		all = append(all, map[rune]meter.ValType{'i': meter.I32, 'l': meter.I64, 'd': meter.F64}[letter])
	}
	return all
}

func answer(number int32) func(*run, []uint64) error {
	return func(_ *run, stack []uint64) error { stack[0] = uint64(uint32(number)); return nil }
}

func nothing(*run, []uint64) error { return nil }

var errGaveUp error = &machine.Fault{Class: turn.Unreachable, Text: "the engine gave up"}

func gaveUp(*run, []uint64) error { return errGaveUp }

var errCall error = &machine.Fault{Class: turn.Unreachable, Text: "the engine called JavaScript that is not there"}

// javascript is emscripten_asm_const_int(code, types, arguments).
func (r *run) javascript(stack []uint64) error {
	kind, ok := r.engine.calls[uint32(stack[0])]
	if !ok {
		return errCall
	}
	argument := uint32(0)
	if kind == callPrint || kind == callLog || kind == callLine || kind == callRandom {
		b, ok := r.instance.Bytes(uint32(stack[2]), 4)
		if !ok {
			return errBounds
		}
		argument = le.Uint32(b)
	}
	stack[0] = 0
	switch kind {
	case callError, callAbort:
		r.code = 1
	case callPrint, callLog, callLine:
		text, err := r.text(argument)
		if err != nil {
			return err
		}
		if kind == callPrint {
			return r.print(text)
		}
		if err := r.logs(text); err != nil || kind == callLog {
			return err
		}
		return r.logs([]byte("\n"))
	case callRandom:
		return r.random(stack, argument)
	}
	return nil
}

// random answers memory with so many bytes.
func (r *run) random(stack []uint64, size uint32) error {
	at, err := r.instance.Call("malloc", uint64(size))
	if err != nil {
		return err
	}
	b, err := r.bytes(uint32(at[0]), size)
	if err != nil {
		return err
	}
	clear(b)
	r.chance.XORKeyStream(b, b)
	stack[0] = at[0]
	return nil
}

const (
	pageBytes    = 64 << 10
	heapBytesMax = 1 << 30
	overBytesMax = 96 << 20
)

// resize is emscripten_resize_heap(size): it grows memory by a fifth of what there
// is, or less if that cannot be had, but to the size at least.
func (r *run) resize(stack []uint64) error {
	size, have := uint64(uint32(stack[0])), uint64(len(r.instance.Memory()))
	stack[0] = 0
	if size > heapBytesMax || size <= have {
		return nil
	}
	for part := uint64(5); part <= 20; part *= 2 {
		want := max(size, min(have+have/part, size+overBytesMax))
		want = min((want+pageBytes-1)/pageBytes*pageBytes, heapBytesMax)
		grown, err := r.instance.Grow(uint32((want - have) / pageBytes))
		if err != nil {
			return err
		}
		if grown {
			stack[0] = 1
			return nil
		}
	}
	return nil
}

// ---- time ----

const tickNanos = 1000

func (r *run) clock() uint64 {
	now := r.now
	if now <= math.MaxInt64-tickNanos {
		r.now += tickNanos
	}
	return now
}

func (r *run) dateNow(stack []uint64) error {
	stack[0] = math.Float64bits(float64(r.clock() / 1_000_000))
	return nil
}

const clocks = 4

func (r *run) clockTimeGet(stack []uint64) error {
	if uint32(stack[0]) >= clocks {
		stack[0] = errnoInval
		return nil
	}
	b, ok := r.instance.Bytes(uint32(stack[2]), 8)
	if !ok {
		return errBounds
	}
	le.PutUint64(b, r.clock())
	stack[0] = 0
	return nil
}

// zone is what Emscripten calls UTC.
const zone = "UTC-0000\x00"

func (r *run) tzset(stack []uint64) error {
	for n, content := range [][]byte{make([]byte, 4), make([]byte, 4), []byte(zone), []byte(zone)} {
		b, ok := r.instance.Bytes(uint32(stack[n]), uint32(len(content)))
		if !ok {
			return errBounds
		}
		copy(b, content)
	}
	return nil
}

func (r *run) environSizes(stack []uint64) error {
	for _, at := range []uint64{stack[0], stack[1]} {
		b, ok := r.instance.Bytes(uint32(at), 4)
		if !ok {
			return errBounds
		}
		clear(b)
	}
	stack[0] = 0
	return nil
}
