package zencode

import (
	"path"
	"strings"

	"carrel/machine"
	"carrel/turn"
)

// A file is content in the engine's memory.
type file struct{ at, size uint32 }

// A descriptor is a file that is open.
type descriptor struct {
	file
	position uint64
	used     bool
}

// Limits of files.
const (
	filesMax       = 4096
	pathBytesMax   = 4096
	descriptorsMax = 256
)

const firstDescriptor = 3

// Numbers of errors, of WASI, which Emscripten has too.
const (
	errnoBadf  = 8
	errnoInval = 28
	errnoIsdir = 31
	errnoMfile = 33
	errnoNoent = 44
	errnoNotty = 59
	errnoRofs  = 69
	errnoSpipe = 70
)

// What open is asked for.
const (
	openAccess = 3 // reading is 0
	openCreate = 0o100
)

var errFiles error = &machine.Fault{Class: turn.Unreachable, Text: "the engine has too many files, or names that are too long"}

// embedded is _emscripten_fs_load_embedded_files(table): name, length and address of
// each file, to a name of 0. The content stays where it is.
func (r *run) embedded(stack []uint64) error {
	r.files = map[string]file{}
	for at := uint32(stack[0]); ; at += 12 {
		b, ok := r.instance.Bytes(at, 12)
		if !ok {
			return errBounds
		}
		named := le.Uint32(b)
		if named == 0 {
			return nil
		}
		f := file{at: le.Uint32(b[8:]), size: le.Uint32(b[4:])}
		name, err := r.text(named)
		if err != nil {
			return err
		}
		if _, ok := r.instance.Bytes(f.at, f.size); !ok {
			return errBounds
		}
		if len(name) > pathBytesMax || len(r.files) == filesMax {
			return errFiles
		}
		r.files[path.Join("/", string(name))] = f
	}
}

// openat is __syscall_openat(directory, path, flags, …): the only directory is the
// root.
func (r *run) openat(stack []uint64) error {
	flags := uint32(stack[2])
	text, err := r.text(uint32(stack[1]))
	if err != nil {
		return err
	}
	fail := func(number int32) error { stack[0] = uint64(uint32(-number)); return nil }
	if len(text) > pathBytesMax {
		return fail(errnoNoent)
	}
	name := path.Join("/", string(text))
	f, ok := r.files[name]
	switch {
	case !ok && r.directory(name):
		return fail(errnoIsdir)
	case !ok && flags&openCreate != 0, ok && flags&openAccess != 0:
		return fail(errnoRofs)
	case !ok:
		return fail(errnoNoent)
	}
	n := 0
	for n < len(r.open) && r.open[n].used {
		n++
	}
	if n == descriptorsMax {
		return fail(errnoMfile)
	}
	if n == len(r.open) {
		r.open = append(r.open, descriptor{})
	}
	r.open[n] = descriptor{file: f, used: true}
	stack[0] = uint64(firstDescriptor + n)
	return nil
}

func (r *run) directory(name string) bool {
	for other := range r.files {
		if name == "/" || strings.HasPrefix(other, name+"/") {
			return true
		}
	}
	return false
}

// descriptor is an open file, nil for another number.
func (r *run) descriptor(fd uint64) *descriptor {
	n := int64(uint32(fd)) - firstDescriptor
	if n < 0 || n >= int64(len(r.open)) || !r.open[n].used {
		return nil
	}
	return &r.open[n]
}

func (r *run) fcntl(stack []uint64) error {
	const getFlags, setFlags, getStatus = 1, 2, 3
	known := uint32(stack[0]) < firstDescriptor || r.descriptor(stack[0]) != nil
	number := int32(0)
	switch {
	case !known:
		number = -errnoBadf
	case uint32(stack[1]) != getFlags && uint32(stack[1]) != setFlags && uint32(stack[1]) != getStatus:
		number = -errnoInval
	}
	stack[0] = uint64(uint32(number))
	return nil
}

func (r *run) fdClose(stack []uint64) error {
	d := r.descriptor(stack[0])
	if d == nil && uint32(stack[0]) >= firstDescriptor {
		stack[0] = errnoBadf
		return nil
	}
	if d != nil {
		*d = descriptor{}
	}
	stack[0] = 0
	return nil
}

// vectors visits the parts of memory of fd_read and fd_write, until visit reports
// that nothing more can be moved, and stores how much was.
func (r *run) vectors(stack []uint64, visit func(part []byte) (int, error)) error {
	moved := uint32(0)
	for n := range uint32(stack[2]) {
		b, ok := r.instance.Bytes(uint32(stack[1])+8*n, 8)
		if !ok {
			return errBounds
		}
		part, err := r.bytes(le.Uint32(b), le.Uint32(b[4:]))
		if err != nil {
			return err
		}
		done, err := visit(part)
		if err != nil {
			return err
		}
		moved += uint32(done)
		if done < len(part) {
			break
		}
	}
	b, ok := r.instance.Bytes(uint32(stack[3]), 4)
	if !ok {
		return errBounds
	}
	le.PutUint32(b, moved)
	stack[0] = 0
	return nil
}

func (r *run) fdRead(stack []uint64) error {
	d := r.descriptor(stack[0])
	if d == nil && uint32(stack[0]) != 0 { // standard input is empty
		stack[0] = errnoBadf
		return nil
	}
	return r.vectors(stack, func(part []byte) (int, error) {
		if d == nil || d.position >= uint64(d.size) {
			return 0, nil
		}
		content, ok := r.instance.Bytes(d.at, d.size)
		if !ok {
			return 0, errBounds
		}
		n := copy(part, content[d.position:])
		d.position += uint64(n)
		return n, nil
	})
}

func (r *run) fdWrite(stack []uint64) error {
	to := r.print
	switch uint32(stack[0]) {
	case 1:
	case 2:
		to = r.logs
	default:
		stack[0] = errnoBadf
		return nil
	}
	return r.vectors(stack, func(part []byte) (int, error) { return len(part), to(part) })
}

func (r *run) fdSeek(stack []uint64) error {
	const fromStart, fromHere, fromEnd = 0, 1, 2
	d := r.descriptor(stack[0])
	if d == nil {
		number := uint64(errnoBadf)
		if uint32(stack[0]) < firstDescriptor {
			number = errnoSpipe
		}
		stack[0] = number
		return nil
	}
	to := int64(stack[1])
	switch uint32(stack[2]) {
	case fromStart:
	case fromHere:
		to += int64(d.position)
	case fromEnd:
		to += int64(d.size)
	default:
		to = -1
	}
	if to < 0 {
		stack[0] = errnoInval
		return nil
	}
	b, ok := r.instance.Bytes(uint32(stack[3]), 8)
	if !ok {
		return errBounds
	}
	d.position = uint64(to)
	le.PutUint64(b, d.position)
	stack[0] = 0
	return nil
}
