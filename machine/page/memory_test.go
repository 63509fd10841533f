package page

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// world holds a memory against a plain slice of bytes, and its snapshots against
// copies of that.
type world struct {
	t      *testing.T
	random *rand.Rand
	m      *Memory
	shadow []byte
	last   []byte // as committed
	kept   []moment
}

type moment struct {
	s       *Snapshot
	content []byte
}

func (w *world) check() {
	w.t.Helper()
	if !bytes.Equal(w.m.Bytes(), w.shadow) {
		w.t.Fatal("memory is not what was written to it")
	}
}

func (w *world) changed() (pages []int) {
	before := append(slices.Clone(w.last), make([]byte, max(0, len(w.shadow)-len(w.last)))...)
	for n := range len(w.shadow) / Size {
		if !bytes.Equal(w.shadow[n*Size:(n+1)*Size], before[n*Size:(n+1)*Size]) {
			pages = append(pages, n)
		}
	}
	return pages
}

func (w *world) write() {
	for range w.random.IntN(40) {
		at := w.random.IntN(len(w.shadow))
		if w.random.IntN(3) == 0 { // pages next to one another
			at = w.random.IntN(min(len(w.shadow), 4*Size))
		}
		value := byte(w.random.IntN(3))
		w.shadow[at], w.m.Bytes()[at] = value, value
	}
}

func (w *world) step() {
	switch w.random.IntN(9) {
	case 0:
		size := min(len(w.shadow)+w.random.IntN(3)*alignment, 6<<20)
		w.shadow = append(w.shadow, make([]byte, size-len(w.shadow))...)
		if w.m.Grow(uint64(size)) == nil {
			w.t.Fatal("no memory")
		}
	case 1:
		if got, want := w.m.Changed(), w.changed(); !slices.Equal(got, want) {
			w.t.Fatalf("changed pages %v, want %v", got, want)
		}
	case 2:
		if err := w.m.Rollback(); err != nil {
			w.t.Fatal(err)
		}
		w.shadow = slices.Clone(w.last)
	case 3, 4:
		s, err := w.m.Commit()
		if err != nil {
			w.t.Fatal(err)
		}
		w.last = slices.Clone(w.shadow)
		w.kept = append(w.kept, moment{s, w.last})
	case 5:
		if len(w.kept) > 0 { // a new memory of an old moment
			k := w.kept[w.random.IntN(len(w.kept))]
			m, err := NewMemory(k.s, 0, w.m.reserved.guarded, w.m.method)
			if err != nil {
				w.t.Fatal(err)
			}
			w.m.Release()
			w.m, w.shadow, w.last = m, slices.Clone(k.content), k.content
		}
	default:
		if len(w.shadow) > 0 {
			w.write()
		}
	}
	w.check()
}

// TestMemory holds memories under every method against plain bytes.
func TestMemory(t *testing.T) {
	for _, method := range Methods() {
		for _, guarded := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v,guarded=%v", method, guarded), func(t *testing.T) {
				for seed := range uint64(30) {
					w := &world{t: t, random: rand.New(rand.NewPCG(seed, 1))}
					var err error
					if w.m, err = NewMemory(nil, 0, guarded, method); err != nil {
						t.Fatal(err)
					}
					for range 60 {
						w.step()
					}
					w.moments()
					if got, want := w.m.Hash(), plainTree(w.shadow); got != want {
						t.Errorf("hash %x, want %x", got, want)
					}
					if w.m.method != method {
						t.Errorf("the method was lost: it is %v", w.m.method)
					}
					w.m.Release()
				}
			})
		}
	}
}

// moments checks that no snapshot changed, and what tells them apart.
func (w *world) moments() {
	for i, k := range w.kept {
		w.same(k.s, k.content)
		if flat, err := k.s.Flat(); err != nil {
			w.t.Fatal(err)
		} else {
			w.same(flat, k.content)
		}
		other := w.kept[w.random.IntN(len(w.kept))]
		last := -1
		size := max(len(k.content), len(other.content))
		a := append(slices.Clone(k.content), make([]byte, size-len(k.content))...)
		b := append(slices.Clone(other.content), make([]byte, size-len(other.content))...)
		Diff(k.s, other.s, func(n int, before, after []byte) bool {
			for skipped := last + 1; skipped < n; skipped++ {
				if !bytes.Equal(a[skipped*Size:(skipped+1)*Size], b[skipped*Size:(skipped+1)*Size]) {
					w.t.Fatalf("snapshot %d: page %d differs and was not visited", i, skipped)
				}
			}
			last = n
			if !bytes.Equal(before, a[n*Size:(n+1)*Size]) || !bytes.Equal(after, b[n*Size:(n+1)*Size]) || bytes.Equal(before, after) {
				w.t.Fatalf("snapshot %d: page %d is not what Diff says", i, n)
			}
			return true
		})
		if rest := (last + 1) * Size; !bytes.Equal(a[rest:], b[rest:]) {
			w.t.Fatalf("snapshot %d differs beyond page %d", i, last)
		}
	}
}

func (w *world) same(s *Snapshot, content []byte) {
	w.t.Helper()
	if s.Bytes() != uint64(len(content)) {
		w.t.Fatalf("a snapshot of %d bytes, want %d", s.Bytes(), len(content))
	}
	rest := slices.Clone(content)
	s.Each(func(n int, page []byte) bool {
		if !bytes.Equal(page, rest[n*Size:(n+1)*Size]) {
			w.t.Fatalf("page %d is not as it was", n)
		}
		clear(rest[n*Size : (n+1)*Size])
		return true
	})
	if !bytes.Equal(rest, make([]byte, len(rest))) {
		w.t.Fatal("Each left a page out")
	}
	if got, want := s.Hash(), plainTree(content); got != want {
		w.t.Fatalf("hash %x, want %x", got, want)
	}
}

// TestWith holds snapshots that grow, shrink and change, one out of another,
// against plain bytes; and memories of them, at their size and larger.
func TestWith(t *testing.T) {
	for seed := range uint64(6) {
		w := &world{t: t, random: rand.New(rand.NewPCG(seed, 2))}
		pages := w.random.IntN(300)
		content := make([]byte, pages*Size)
		for n := range pages {
			content[n*Size] = byte(n)
		}
		w.kept = []moment{{snapshotOf(t, pages, func(n int) byte { return byte(n) }), content}}
		for range 20 {
			from := w.kept[w.random.IntN(len(w.kept))]
			pages := len(from.content) / Size
			if w.random.IntN(2) == 0 {
				pages = w.random.IntN(400)
			}
			content := make([]byte, pages*Size)
			copy(content, from.content)
			var changes []Change
			for n := 0; n < pages; n += 1 + w.random.IntN(40) {
				changes = append(changes, Change{n, &[Size]byte{byte(w.random.IntN(3))}})
				copy(content[n*Size:], changes[len(changes)-1].Content[:])
			}
			w.kept = append(w.kept, moment{from.s.With(uint64(pages*Size), changes), content})
		}
		w.moments()
		for _, k := range w.kept {
			larger := append(slices.Clone(k.content), make([]byte, 7*alignment)...)
			m, err := NewMemory(k.s, uint64(len(larger)), false, Auto)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(m.Bytes(), larger) {
				t.Error("a memory larger than its snapshot is not that and zeros")
			}
			if changed := m.Changed(); changed != nil {
				t.Errorf("a memory that nobody wrote to has changed pages %v", changed)
			}
			m.Release()
		}
	}
}

// TestTwoMemories holds that memories of one snapshot never see each other.
func TestTwoMemories(t *testing.T) {
	s := snapshotOf(t, 100, func(n int) byte { return byte(n) })
	a, b := memoryOf(t, s), memoryOf(t, s)
	a.Bytes()[5*Size] = 77
	if b.Bytes()[5*Size] != 5 || a.Bytes()[5*Size] != 77 {
		t.Error("a write of one is seen by the other, or not by itself")
	}
	c := memoryOf(t, s)
	if c.Bytes()[5*Size] != 5 {
		t.Error("a write of a memory changed the snapshot")
	}
}

// TestSealed holds that nobody can change what a snapshot is made of.
func TestSealed(t *testing.T) {
	s := snapshotOf(t, 100, func(n int) byte { return 1 })
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", s.base.file.fd), unix.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Pwrite(fd, []byte{9}, 0); err != unix.EPERM {
		t.Errorf("writing to a sealed file: %v, want EPERM", err)
	}
	for _, size := range []int64{0, Size, 1 << 30} {
		if err := unix.Ftruncate(fd, size); err != unix.EPERM {
			t.Errorf("resizing a sealed file to %d: %v, want EPERM", size, err)
		}
	}
	if m, err := unix.Mmap(fd, 0, Size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("a sealed file can be mapped for writing")
		_ = unix.Munmap(m)
	}
}

// TestLost holds that changes are found when the kernel's notes are gone.
func TestLost(t *testing.T) {
	if Best() != Async {
		t.Logf("the best method here is %v: it has no notes to lose", Best())
	}
	s := snapshotOf(t, 100, func(n int) byte { return byte(n) })
	m := memoryOf(t, s)
	m.Bytes()[7*Size] = 200
	m.Changed()
	m.Bytes()[9*Size] = 201
	again := bytes.Clone(m.Bytes())
	if _, err := unix.MmapPtr(-1, 0, pointer(m.Bytes()), uintptr(m.size), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_FIXED|unix.MAP_PRIVATE|unix.MAP_ANONYMOUS); err != nil {
		t.Fatal(err)
	}
	copy(m.Bytes(), again)
	if got := m.Changed(); !slices.Equal(got, []int{7, 9}) {
		t.Errorf("changed %v, want [7 9]", got)
	}
}

// TestGuarded holds that a guarded memory cannot be read beyond its size,
// whoever had its address space before.
func TestGuarded(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	readable := func(m *Memory, at int) bool {
		_, err := unix.Write(pipe[1], m.reserved.bytes[at:at+1])
		if err != nil && err != unix.EFAULT {
			t.Fatal(err)
		}
		return err == nil
	}
	s := snapshotOf(t, 32, func(n int) byte { return 1 })
	for _, from := range []*Snapshot{nil, s} {
		for _, size := range []int{5 * alignment, alignment, 0, 3 * alignment, 0} {
			m, err := NewMemory(from, uint64(size), true, Auto)
			if err != nil {
				t.Fatal(err)
			}
			check := func() {
				t.Helper()
				size := len(m.Bytes())
				if size > 0 && !readable(m, size-1) {
					t.Errorf("the last byte of %d cannot be read", size)
				}
				for _, at := range []int{size, size + 8*alignment, ReservationBytes - 1, ReservationBytes, guardBytes - 1} {
					if readable(m, at) {
						t.Errorf("byte %d of a memory of %d can be read", at, size)
					}
				}
			}
			check()
			m.Grow(uint64(len(m.Bytes()) + 2*alignment))
			check()
			if err := m.Rollback(); err != nil {
				t.Fatal(err)
			}
			check()
			m.Release()
		}
	}
}

// TestOpenSnapshot holds a snapshot of a file on disk against what is in it.
func TestOpenSnapshot(t *testing.T) {
	const size = 9 * alignment
	content := make([]byte, size)
	file, err := os.Create(filepath.Join(t.TempDir(), "memory"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, n := range []int{0, 1, 30, 31, 32, 7*alignment/Size - 1} {
		content[n*Size+n] = byte(n + 1)
		if _, err := file.WriteAt(content[n*Size:(n+1)*Size], int64(n*Size)); err != nil {
			t.Fatal(err)
		}
	}
	open := func(size uint64) (*Snapshot, error) {
		fd, err := unix.Open(file.Name(), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return OpenSnapshot(fd, size)
	}
	s, err := open(size)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t}
	w.same(s, content)
	for _, method := range Methods() {
		m, err := NewMemory(s, 0, false, method)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(m.Bytes(), content) {
			t.Errorf("%v: a memory is not what the file holds", method)
		}
		m.Bytes()[31*Size], m.Bytes()[8*alignment] = 1, 1
		if got := m.Changed(); !slices.Equal(got, []int{31, 8 * alignment / Size}) {
			t.Errorf("%v: changed %v", method, got)
		}
		m.Release()
	}
	w.same(s, content)
	for _, size := range []uint64{6 * alignment, size + 1, ReservationBytes + Size} {
		if _, err := open(size); err == nil {
			t.Errorf("the file is taken for a memory of %d bytes", size)
		}
	}
	if err := file.Truncate(alignment + 1); err != nil {
		t.Fatal(err)
	}
	if _, err := open(size - alignment); err == nil {
		t.Error("a file that was cut is taken")
	}
}

func TestGrowToTheLimit(t *testing.T) {
	for _, guarded := range []bool{false, true} {
		m, err := NewMemory(nil, 0, guarded, Auto)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Release()
		if m.Grow(ReservationBytes+Size) != nil || len(m.Bytes()) != 0 {
			t.Error("a memory grew beyond what there is")
		}
		m.Grow(ReservationBytes)[ReservationBytes-1] = 1
		if got := m.Changed(); !slices.Equal(got, []int{ReservationBytes/Size - 1}) {
			t.Errorf("changed %v, want the last page", got)
		}
		s, err := m.Commit()
		if err != nil {
			t.Fatal(err)
		}
		if again := memoryOf(t, s); again.Bytes()[ReservationBytes-1] != 1 || again.Hash() != s.Hash() {
			t.Error("the last page is lost")
		}
	}
}

// TestNoMemory holds that a host that cannot keep a snapshot says so.
func TestNoMemory(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	m := memoryOf(t, snapshotOf(t, 4, func(int) byte { return 1 }))
	fresh, err := NewMemory(nil, 0, false, Auto)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Release()
	fresh.Grow(alignment)[0] = 1
	m.Bytes()[0] = 9
	layered := snapshotOf(t, 4, func(int) byte { return 1 }).With(5*Size, []Change{{4, &[Size]byte{2}}})

	none := limit
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	_, err = fresh.Commit()
	if _, err := m.Commit(); err != nil {
		t.Errorf("a commit that needs no file: %v", err)
	}
	_, flat := layered.Flat()
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(err, ErrNoMemory) {
		t.Errorf("commit without descriptors: %v, want ErrNoMemory", err)
	}
	if s, err := fresh.Commit(); err != nil || s.page(0)[0] != 1 {
		t.Errorf("the commit after it: %v", err)
	}
	if !errors.Is(flat, ErrNoMemory) {
		t.Errorf("flat without descriptors: %v, want ErrNoMemory", flat)
	}
	if s, err := layered.Flat(); err != nil || s.page(4)[0] != 2 {
		t.Errorf("flat after it: %v", err)
	}
}

func snapshotOf(t testing.TB, pages int, first func(n int) byte) *Snapshot {
	t.Helper()
	b := NewBuilder(uint64(pages * Size))
	for n := range pages {
		content := make([]byte, Size)
		content[0] = first(n)
		b.Set(n, content)
	}
	s, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func memoryOf(t testing.TB, s *Snapshot) *Memory {
	t.Helper()
	m, err := NewMemory(s, 0, false, Auto)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	return m
}
