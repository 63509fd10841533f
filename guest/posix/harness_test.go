package posix

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"carrel/machine"
	"carrel/machine/wazero"
	"carrel/turn"
)

var errFuelTest = errors.New("out of fuel")

// A program is a fake one: a memory, a bump allocator and an amount of fuel.
type program struct {
	t      testing.TB
	s      *System
	memory []byte
	top    uint32
	fuel   uint64
}

func (p *program) Bytes(offset, length uint32) ([]byte, bool) {
	if uint64(offset)+uint64(length) > uint64(len(p.memory)) {
		return nil, false
	}
	return p.memory[offset : offset+length : offset+length], true
}

func (p *program) Charge(units uint64) error {
	if units > p.fuel {
		return errFuelTest
	}
	p.fuel -= units
	return nil
}

func start(t testing.TB, config Config) *program {
	t.Helper()
	s, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return &program{t: t, s: s, memory: make([]byte, 1<<20), top: 64, fuel: 1 << 40}
}

// alloc gives n bytes of memory; it starts over when there is no more.
func (p *program) alloc(n int) uint32 {
	if int(p.top)+n > len(p.memory) {
		p.top = 64
	}
	at := p.top
	p.top += uint32(n+15) &^ 15
	return at
}

func (p *program) put(s string) (uint64, uint64) {
	at := p.alloc(len(s))
	copy(p.memory[at:], s)
	return uint64(at), uint64(len(s))
}

// raw makes a call and gives what it returned.
func (p *program) raw(name string, args ...uint64) (Errno, error) {
	for _, c := range calls {
		if c.name == name {
			if len(args) != len(c.params) {
				p.t.Fatalf("%s takes %d arguments, not %d", name, len(c.params), len(args))
			}
			stack := append(args, 0)
			err := p.s.answer(p, c.do, stack)
			return Errno(stack[0]), err
		}
	}
	p.t.Fatalf("no function %s", name)
	return 0, nil
}

func (p *program) call(name string, args ...uint64) Errno {
	p.t.Helper()
	errno, err := p.raw(name, args...)
	if err != nil {
		p.t.Fatalf("%s: %v", name, err)
	}
	return errno
}

// want makes a call that must answer errno.
func (p *program) want(errno Errno, name string, args ...uint64) {
	p.t.Helper()
	if got := p.call(name, args...); got != errno {
		p.t.Fatalf("%s: got %d (%v), want %d (%v)", name, got, got, errno, errno)
	}
}

const all = uint64(1<<29 - 1)

func (p *program) tryOpen(dir uint64, path string, follow, how, base, flags uint64) (uint64, Errno) {
	p.t.Helper()
	at, n := p.put(path)
	out := p.alloc(4)
	errno := p.call("path_open", dir, follow, at, n, how, base, all, flags, uint64(out))
	return uint64(le.Uint32(p.memory[out:])), errno
}

func (p *program) open(dir uint64, path string, how uint64) uint64 {
	p.t.Helper()
	base := all
	if how&openDirectory == 0 && how&(openCreate|openTruncate) == 0 {
		base &^= uint64(rightFdWrite)
	}
	fd, errno := p.tryOpen(dir, path, 1, how, base, 0)
	if errno != 0 {
		p.t.Fatalf("open %s: %v", path, errno)
	}
	return fd
}

func (p *program) close(fd uint64) { p.t.Helper(); p.want(0, "fd_close", fd) }

// iovec lays out one buffer and its list.
func (p *program) iovec(at, n uint64) (uint64, uint64) {
	list := p.alloc(8)
	le.PutUint32(p.memory[list:], uint32(at))
	le.PutUint32(p.memory[list+4:], uint32(n))
	return uint64(list), 1
}

func (p *program) write(fd uint64, text string) Errno {
	p.t.Helper()
	iov, n := p.iovec(p.put(text))
	return p.call("fd_write", fd, iov, n, uint64(p.alloc(4)))
}

func (p *program) read(fd uint64, n int) string {
	p.t.Helper()
	at := p.alloc(n)
	iov, count := p.iovec(uint64(at), uint64(n))
	out := p.alloc(4)
	p.want(0, "fd_read", fd, iov, count, uint64(out))
	return string(p.memory[at : at+le.Uint32(p.memory[out:])])
}

func (p *program) file(dir uint64, path, text string) {
	p.t.Helper()
	fd := p.open(dir, path, openCreate|openTruncate)
	if errno := p.write(fd, text); errno != 0 {
		p.t.Fatalf("write %s: %v", path, errno)
	}
	p.close(fd)
}

func (p *program) text(dir uint64, path string) string {
	p.t.Helper()
	fd := p.open(dir, path, 0)
	defer p.close(fd)
	return p.read(fd, 1<<16)
}

func (p *program) mkdir(dir uint64, path string) Errno {
	p.t.Helper()
	at, n := p.put(path)
	return p.call("path_create_directory", dir, at, n)
}

func (p *program) rename(dir uint64, from, to string) Errno {
	p.t.Helper()
	a, an := p.put(from)
	b, bn := p.put(to)
	return p.call("path_rename", dir, a, an, dir, b, bn)
}

func (p *program) symlink(dir uint64, target, path string) Errno {
	p.t.Helper()
	a, an := p.put(target)
	b, bn := p.put(path)
	return p.call("path_symlink", a, an, dir, b, bn)
}

func (p *program) unlink(dir uint64, path string) Errno {
	p.t.Helper()
	at, n := p.put(path)
	return p.call("path_unlink_file", dir, at, n)
}

func (p *program) rmdir(dir uint64, path string) Errno {
	p.t.Helper()
	at, n := p.put(path)
	return p.call("path_remove_directory", dir, at, n)
}

// stat gives a status as it is laid out.
func (p *program) stat(dir uint64, path string, follow uint64) (stats, Errno) {
	p.t.Helper()
	at, n := p.put(path)
	out := p.alloc(64)
	errno := p.call("path_filestat_get", dir, follow, at, n, uint64(out))
	b := p.memory[out:]
	return stats{le.Uint64(b), le.Uint64(b[8:]), b[16], le.Uint64(b[24:]), le.Uint64(b[32:]),
		le.Uint64(b[40:]), le.Uint64(b[48:]), le.Uint64(b[56:])}, errno
}

// names reads a directory with a buffer of a size.
func (p *program) names(fd uint64, size int) []string {
	p.t.Helper()
	var names []string
	cookie, out, buffer := uint64(0), p.alloc(4), p.alloc(size)
	for {
		p.want(0, "fd_readdir", fd, uint64(buffer), uint64(size), cookie, uint64(out))
		used := le.Uint32(p.memory[out:])
		b := p.memory[buffer : buffer+used]
		for len(b) >= direntBytes && len(b) >= direntBytes+int(le.Uint32(b[16:])) {
			n := direntBytes + int(le.Uint32(b[16:]))
			cookie = le.Uint64(b)
			names = append(names, string(b[direntBytes:n]))
			b = b[n:]
		}
		if int(used) < size {
			return names
		}
	}
}

// A fake tree of a test: path to content; a path that ends in a slash is a
// directory, content that starts with "->" a link.
type fakeTree map[string]string

func (f fakeTree) Stat(name string) (Kind, int64, error) {
	if _, ok := f[name+"/"]; ok || name == "." {
		return Dir, 0, nil
	}
	content, ok := f[name]
	switch {
	case !ok:
		return Absent, 0, fs.ErrNotExist
	case strings.HasPrefix(content, "->"):
		return Link, 0, nil
	case content == "socket":
		return Other, 0, nil
	}
	return File, int64(len(content)), nil
}

func (f fakeTree) List(name string, limit int) ([]Entry, error) {
	var entries []Entry
	for path := range f {
		path = strings.TrimSuffix(path, "/")
		if filepath.Dir(path) == name {
			kind, _, _ := f.Stat(path)
			entries = append(entries, Entry{Name: filepath.Base(path), Kind: kind})
		}
	}
	return entries, nil
}

func (f fakeTree) Link(name string) (string, error)             { return f[name][2:], nil }
func (f fakeTree) Read(name string, size int64) ([]byte, error) { return []byte(f[name]), nil }

// runWasm runs a real program in the machine.
func runWasm(t testing.TB, wasm []byte, s *System) turn.Outcome {
	t.Helper()
	engine := wazero.Interpreted(wazero.Options{})
	defer engine.Close()
	program, err := machine.Load(t.Context(), engine, wasm)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	instance, err := program.Instantiate(turn.Limits{Fuel: 1 << 40, MemoryPages: 16384}, Imports())
	if err != nil {
		t.Fatal(err)
	}
	defer instance.Close()
	return instance.Outcome(s.Run(instance))
}

// BuildGo builds a program of testdata for wasip1.
func BuildGo(t testing.TB, name string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), name+".wasm")
	cmd := exec.Command("go", "build", "-o", out, "./testdata/"+name)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}
