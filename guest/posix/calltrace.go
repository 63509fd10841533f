package posix

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

const (
	// traceBytesMax is how much of a buffer a trace of calls shows.
	traceBytesMax = 64
	// tracePathMax is how much of a path it shows.
	tracePathMax = 256
)

// TraceCalls writes a line to w for each import that a program calls, when it
// returns: the fuel that was used before, the arguments, and what came of it. It
// changes nothing of what the program does. Imports that are not WASI's may call
// the program back, and are written when they are called.
func TraceCalls(w io.Writer, i *machine.Instance, imports []meter.Import) {
	traces := make([]*callTrace, len(imports))
	for n, im := range imports {
		traces[n] = &callTrace{w: w, of: im, wasi: im.Module == modulePreview1 || im.Module == moduleUnstable}
	}
	i.Watch(func(n int, call machine.HostFunc, i *machine.Instance, stack []uint64) error {
		return traces[n].call(call, i, stack)
	})
}

// A callTrace writes the calls of one import.
type callTrace struct {
	w    io.Writer
	of   meter.Import
	wasi bool
}

func (t *callTrace) call(call machine.HostFunc, i *machine.Instance, stack []uint64) error {
	fuel := i.FuelUsed()
	if !t.wasi {
		var args []string
		for n := range t.of.Type.Params {
			args = append(args, t.number(stack, n))
		}
		t.line(fuel, t.of.Module+"."+t.of.Name, args, "")
		return call(i, stack)
	}
	c := traced{memory: i, form: callForms[t.of.Name], stack: append([]uint64(nil), stack[:len(t.of.Type.Params)]...)}
	c.before()
	err := call(i, stack)
	switch fault := (*machine.Fault)(nil); {
	case err == nil && len(t.of.Type.Results) > 0:
		c.after(Errno(stack[0]))
	case errors.As(err, &fault) && fault.Class == turn.Exit:
	case errors.As(err, &fault):
		c.result = fault.Class.String()
	case err != nil:
		c.result = turn.Worker.String()
	}
	t.line(fuel, t.of.Name, c.args, c.result)
	return err
}

// number is an argument of a type that nothing else is known of.
func (t *callTrace) number(stack []uint64, n int) string {
	if t.of.Type.Params[n] == meter.I32 {
		return strconv.Itoa(int(int32(stack[n])))
	}
	return strconv.FormatInt(int64(stack[n]), 10)
}

func (t *callTrace) line(fuel uint64, name string, args []string, result string) {
	text := fmt.Sprintf("%12d  %s(%s)", fuel, name, strings.Join(args, ", "))
	if result != "" {
		text += " = " + result
	}
	fmt.Fprintln(t.w, text) // the program goes on, whether anybody reads this or not
}

// callForms say what the arguments of calls are, a letter for each:
//
//	d  a number, as of a descriptor     s  a path: two arguments
//	i  the same, with a sign            v  buffers to be written: two arguments
//	x  flags or rights                  r  buffers to be read into: two arguments
//	n  where a result of 32 bits goes   b  a buffer to be read into: two arguments
//	N  the same, of 64 bits             p  where something else is or goes
//	O  flags of path_open               c  a clock
var callForms = map[string]string{
	"args_get": "pp", "args_sizes_get": "nn", "environ_get": "pp", "environ_sizes_get": "nn",
	"clock_res_get": "cN", "clock_time_get": "cdN",
	"fd_advise": "dddd", "fd_allocate": "ddd", "fd_close": "d", "fd_datasync": "d",
	"fd_fdstat_get": "dp", "fd_fdstat_set_flags": "dx", "fd_fdstat_set_rights": "dxx",
	"fd_filestat_get": "dp", "fd_filestat_set_size": "dd", "fd_filestat_set_times": "dddx",
	"fd_pread": "drdn", "fd_prestat_get": "dp", "fd_prestat_dir_name": "db", "fd_pwrite": "dvdn",
	"fd_read": "drn", "fd_readdir": "dpddn", "fd_renumber": "dd", "fd_seek": "didN",
	"fd_sync": "d", "fd_tell": "dN", "fd_write": "dvn",
	"path_create_directory": "ds", "path_filestat_get": "dxsp", "path_filestat_set_times": "dxsddx",
	"path_link": "dxsds", "path_open": "dxsOxxxn", "path_readlink": "dsbn", "path_remove_directory": "ds",
	"path_rename": "dsds", "path_symlink": "sds", "path_unlink_file": "ds",
	"poll_oneoff": "ppdn", "proc_exit": "d", "proc_raise": "d", "random_get": "pd",
	"sock_accept": "dxn", "sock_recv": "drxnp", "sock_send": "dvxn", "sock_shutdown": "dx", "sched_yield": "",
}

// pairs are the letters of callForms that take two arguments.
const pairs = "svrb"

// A traced call is a call of WASI on its way to words.
type traced struct {
	memory interface {
		Bytes(offset, length uint32) ([]byte, bool)
	}
	form   string
	stack  []uint64
	args   []string
	result string

	// Buffers are there to be shown when they are filled: as args[at].
	buffers [][2]uint32 // offset and length
	at      int
}

// before puts the arguments into words, before the call changes anything.
func (c *traced) before() {
	at := 0
	for _, letter := range c.form {
		a := c.stack[at]
		at++
		if strings.ContainsRune(pairs, letter) {
			c.args = append(c.args, c.pair(letter, uint32(a), uint32(c.stack[at])))
			at++
			continue
		}
		switch letter {
		case 'd':
			c.args = append(c.args, strconv.FormatUint(a, 10))
		case 'i':
			c.args = append(c.args, strconv.FormatInt(int64(a), 10))
		case 'x':
			c.args = append(c.args, "0x"+strconv.FormatUint(a, 16))
		case 'O':
			c.args = append(c.args, openWords(uint32(a)))
		case 'c':
			c.args = append(c.args, clockWord(a))
		}
	}
}

func (c *traced) pair(letter rune, offset, length uint32) string {
	switch letter {
	case 's':
		return c.quote([][2]uint32{{offset, length}}, uint64(length), tracePathMax)
	case 'b':
		c.buffers, c.at = [][2]uint32{{offset, length}}, len(c.args)
		return fmt.Sprintf("%d bytes", length)
	}
	list, total, ok := c.vectors(offset, length)
	if !ok {
		return badAddress(offset)
	}
	if letter == 'r' {
		c.buffers, c.at = list, len(c.args)
		return fmt.Sprintf("%d bytes", total)
	}
	return c.quote(list, total, traceBytesMax)
}

// vectors reads a list of buffers.
func (c *traced) vectors(offset, count uint32) (list [][2]uint32, total uint64, ok bool) {
	b, ok := c.memory.Bytes(offset, 8*min(count, IovecsMax))
	for ; len(b) > 0; b = b[8:] {
		list = append(list, [2]uint32{le.Uint32(b), le.Uint32(b[4:])})
		total += uint64(le.Uint32(b[4:]))
	}
	return list, total, ok
}

func badAddress(offset uint32) string { return fmt.Sprintf("a bad address, 0x%x", offset) }

// quote shows the first bytes of total in a list of buffers, at most so many.
func (c *traced) quote(list [][2]uint32, total uint64, most int) string {
	var shown []byte
	for _, v := range list {
		n := min(uint64(v[1]), total-uint64(len(shown)), uint64(most-len(shown)))
		b, ok := c.memory.Bytes(v[0], uint32(n))
		if !ok {
			return badAddress(v[0])
		}
		shown = append(shown, b...)
	}
	text := strconv.Quote(string(shown))
	if uint64(len(shown)) < total {
		text += fmt.Sprintf("… %d bytes", total)
	}
	return text
}

// after puts what came of the call into words.
func (c *traced) after(errno Errno) {
	if errno != 0 {
		c.result = errno.name()
		if text, ok := errnoTexts[errno]; ok {
			c.result += " (" + text + ")"
		}
		return
	}
	var results []string
	at := 0
	for _, letter := range c.form {
		switch size := map[rune]uint32{'n': 4, 'N': 8}[letter]; {
		case size > 0:
			if b, ok := c.memory.Bytes(uint32(c.stack[at]), size); ok {
				results = append(results, littleEndian(b))
			}
		case strings.ContainsRune(pairs, letter):
			at++
		}
		at++
	}
	if c.result = strings.Join(results, ", "); c.result == "" {
		c.result = "0"
	}
	if len(c.buffers) == 0 {
		return
	}
	filled := uint64(c.buffers[0][1]) // all of it, if nothing else is said
	if len(results) > 0 {
		filled, _ = strconv.ParseUint(results[0], 10, 64)
	}
	c.args[c.at] = c.quote(c.buffers, filled, traceBytesMax)
}

func littleEndian(b []byte) string {
	if len(b) == 4 {
		return strconv.FormatUint(uint64(le.Uint32(b)), 10)
	}
	return strconv.FormatUint(le.Uint64(b), 10)
}

// openWords are the flags of path_open.
func openWords(flags uint32) string {
	var words []string
	for n, word := range []string{"create", "directory", "exclusive", "truncate"} {
		if flags>>n&1 != 0 {
			words = append(words, word)
		}
	}
	if rest := flags &^ openAll; rest != 0 || len(words) == 0 {
		words = append(words, strconv.FormatUint(uint64(rest), 10))
	}
	return strings.Join(words, "|")
}

func clockWord(id uint64) string {
	words := []string{"realtime", "monotonic", "process_cputime", "thread_cputime"}
	if id < uint64(len(words)) {
		return words[id]
	}
	return strconv.FormatUint(id, 10)
}

var errnoNames = map[Errno]string{
	EBADF: "EBADF", EBUSY: "EBUSY", EEXIST: "EEXIST", EFAULT: "EFAULT", EFBIG: "EFBIG", EILSEQ: "EILSEQ",
	EINVAL: "EINVAL", EISDIR: "EISDIR", ELOOP: "ELOOP", EMFILE: "EMFILE", EMLINK: "EMLINK",
	ENAMETOOLONG: "ENAMETOOLONG", ENOENT: "ENOENT", ENOMEM: "ENOMEM", ENOSPC: "ENOSPC", ENOTDIR: "ENOTDIR",
	ENOTEMPTY: "ENOTEMPTY", ENOTSOCK: "ENOTSOCK", ENOTSUP: "ENOTSUP", EOVERFLOW: "EOVERFLOW",
	EPERM: "EPERM", EROFS: "EROFS", ESPIPE: "ESPIPE", EXDEV: "EXDEV", ENOTCAPABLE: "ENOTCAPABLE",
}

// name is what programs in C call the error number.
func (e Errno) name() string {
	if name, ok := errnoNames[e]; ok {
		return name
	}
	return e.Error()
}
