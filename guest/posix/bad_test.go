package posix

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// heap is the memory in use.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// A program that fills its disk is told so, and takes no more memory.
func TestFillDisk(t *testing.T) {
	p := scratch(t)
	p.s.total = TotalBytesMax - 100_000 // as if all the rest were full
	fd := p.open(3, "f", openCreate)
	written := 0
	for p.write(fd, strings.Repeat("x", 1000)) == 0 {
		written += 1000
	}
	if got := p.write(fd, strings.Repeat("x", 1000)); got != ENOSPC || written != 100_000 {
		t.Errorf("after %d bytes: %v", written, got)
	}
	p.want(ENOSPC, "fd_allocate", fd, 0, 200_000)
	p.want(0, "fd_filestat_set_size", fd, 50)
	if got := p.write(fd, "y"); got != ENOSPC { // the offset is still far out
		t.Errorf("%v", got)
	}
	p.unlink(3, "f")
	p.close(fd)
	p.file(3, "g", "room again")
}

// A file that grows and shrinks does not keep what it took.
func TestShrink(t *testing.T) {
	p := scratch(t)
	before := heap()
	for i := range 50 {
		fd := p.open(3, fmt.Sprint(i), openCreate)
		p.want(0, "fd_allocate", fd, 0, 10<<20)
		p.want(0, "fd_filestat_set_size", fd, 1)
		p.close(fd)
	}
	if after := heap(); after > before+20<<20 {
		t.Errorf("50 files of one byte take %d MiB", (after-before)>>20)
	}
}

// A program that opens a million files, or makes them, is told when to stop.
func TestMillionFiles(t *testing.T) {
	p := scratch(t)
	p.file(3, "f", "x")
	opened := 4
	for {
		if _, errno := p.tryOpen(3, "f", 0, 0, uint64(rightFdRead), 0); errno == EMFILE {
			break
		}
		opened++
	}
	if opened != DescriptorMax {
		t.Errorf("%d descriptors", opened)
	}
	if _, errno := p.tryOpen(3, "new", 0, openCreate, 0, 0); errno != EMFILE {
		t.Errorf("%v", errno)
	}
	if _, errno := p.stat(3, "new", 0); errno != ENOENT {
		t.Error("a file was made that could not be opened")
	}
	for fd := uint64(4); fd < DescriptorMax; fd++ {
		p.close(fd)
	}
	const room = 200_000
	p.s.inodes += InodesMax - room // as if they were there
	before, made := heap(), 0
	for dir := 0; ; dir++ {
		if errno := p.mkdir(3, fmt.Sprint("d", dir)); errno != 0 {
			if errno != ENOSPC {
				t.Error(errno)
			}
			break
		}
		fd := p.open(3, fmt.Sprint("d", dir), openDirectory)
		for i := 0; p.mkdir(fd, fmt.Sprint(i)) == 0; i++ {
			made++
		}
		p.close(fd)
	}
	if after := heap(); after > before+room*1000 {
		t.Errorf("%d directories take %d MiB", made, (after-before)>>20)
	}
	if made < room-100 || p.s.inodes != InodesMax {
		t.Errorf("made %d", made)
	}
}

// Looking for what is not there takes no more memory than the limit.
func TestAbsentNames(t *testing.T) {
	p := start(t, Config{Mounts: []Mount{{Guest: "/d", Tree: fakeTree{}}}})
	p.s.inodes = InodesMax - 100
	var errno Errno
	for i := 0; i < 200 && errno != ENOSPC; i++ {
		_, errno = p.stat(3, fmt.Sprint(i), 0)
	}
	if errno != ENOSPC || len(p.s.Observations()) != 101 {
		t.Errorf("%v, %d observations", errno, len(p.s.Observations()))
	}
}

// Descriptors that read big directories are bounded.
func TestManyListings(t *testing.T) {
	p := scratch(t)
	fds := []uint64{}
	p.s.listed = ListedMax - 5
	for i := range 3 {
		p.file(3, fmt.Sprint(i), "")
		fds = append(fds, p.open(3, ".", openDirectory))
	}
	args := []uint64{0, 64, 1000, 0, 32}
	for i, want := range []Errno{0, ENOMEM} {
		args[0] = fds[i]
		p.want(want, "fd_readdir", args...)
	}
	p.close(fds[0])
	p.want(0, "fd_readdir", args...)
}

// Output is passed on, not kept.
func TestMuchOutput(t *testing.T) {
	p := start(t, Config{})
	p.fuel = 1 << 60
	iov, n := p.iovec(0, 1<<19)
	before := heap()
	for range 256 {
		p.want(0, "fd_write", 1, iov, n, 1<<19+64)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("128 MiB of output took %d KiB", (after-before)>>10)
	}
	if got := p.s.Result().Stdout.Bytes; got != 256<<19 {
		t.Errorf("%d bytes", got)
	}
}

// Work is paid for before it is done.
func TestFuel(t *testing.T) {
	for name, do := range map[string]func(p *program) error{
		"write":  func(p *program) error { _, err := p.raw("fd_write", 4, 0, 1, 512); return err },
		"output": func(p *program) error { _, err := p.raw("fd_write", 1, 0, 1, 512); return err },
		"input":  func(p *program) error { _, err := p.raw("fd_read", 0, 0, 1, 512); return err },
		"grow":   func(p *program) error { _, err := p.raw("fd_allocate", 4, 0, 1<<29); return err },
		"random": func(p *program) error { _, err := p.raw("random_get", 0, 1<<19); return err },
		"list":   func(p *program) error { _, err := p.raw("fd_readdir", 3, 1<<19, 1<<16, 0, 512); return err },
		"path":   func(p *program) error { _, err := p.raw("path_filestat_get", 3, 0, 1024, 4000, 512); return err },
	} {
		var out bytes.Buffer
		p := start(t, Config{Stdout: &out, Stdin: strings.NewReader("x"), Mounts: []Mount{{Guest: "/w", Writable: true}}})
		p.open(3, "file", openCreate)
		for i := range 100 {
			p.file(3, fmt.Sprint(i), "")
		}
		p.memory = make([]byte, 1<<20)
		le.PutUint32(p.memory[4:], 1<<19)
		copy(p.memory[1024:], strings.Repeat("./", 2000))
		p.fuel = 5000
		if err := do(p); err != errFuelTest {
			t.Errorf("%s: %v", name, err)
		}
		if out.Len() > 0 || p.s.total > 0 || p.s.Result().Stdin.Bytes > 0 {
			t.Errorf("%s was done without being paid for", name)
		}
	}
}
