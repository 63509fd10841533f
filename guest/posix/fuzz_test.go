package posix

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"carrel/machine"
)

// hostile makes a program with a bit of everything open, and little memory.
func hostile(t testing.TB) *program {
	p := start(t, Config{
		Args: []string{"p"}, Env: []string{"A=1"}, Stdin: strings.NewReader(strings.Repeat("line\n", 1000)),
		Mounts: []Mount{
			{Guest: "/w", Writable: true, Tree: fakeTree{"a": "1", "d/": "", "d/b": "2", "l": "->d", "o": "->../..", "s": "socket", "x": "->x"}},
			{Guest: "/r", Tree: dataTree},
			{Guest: "/w/d/m", Writable: true},
			{Guest: "/f", Writable: true, Tree: fileTree("single")},
		},
	})
	p.memory = make([]byte, 1<<16)
	p.fuel = 200_000
	return p
}

// fixtures lays out paths and buffer lists, which calls may have overwritten.
func (p *program) fixtures() {
	for i, path := range hostilePaths {
		copy(p.memory[64*i:], path)
	}
	for i := range uint32(8) {
		le.PutUint32(p.memory[hostileIovecs+8*i:], hostileBuffer+100*i)
		le.PutUint32(p.memory[hostileIovecs+8*i+4:], 10*i)
	}
}

var hostilePaths = []string{
	"a", "d", "d/b", "l", "new", "d/new", "../x", "/abs", ".", "..", "d/m", "d/m/n", "o/x", "x", "d/../a", "new/", "\xff", "",
	"l/b", "dir", "dir/in", "a.txt", "sub/b.txt", "s",
}

// roles are what the arguments of calls are: f a descriptor, g one that the
// program opened, p a path, v a
// list of buffers, o a pointer to answer at, b a buffer, n a small number, r
// rights, h how to open, w whence, s a size or offset.
var roles = map[string]string{
	"fd_advise": "fssn", "fd_allocate": "fss", "fd_close": "g", "fd_datasync": "f", "fd_fdstat_get": "fo",
	"fd_fdstat_set_flags": "fn", "fd_fdstat_set_rights": "grr", "fd_filestat_get": "fo", "fd_filestat_set_size": "fs",
	"fd_filestat_set_times": "fssn", "fd_pread": "fvso", "fd_pwrite": "fvso", "fd_read": "fvo", "fd_readdir": "fbno",
	"fd_renumber": "gg", "fd_seek": "fswo", "fd_write": "fvo", "path_create_directory": "fp", "path_filestat_get": "fnpo",
	"path_filestat_set_times": "fnpssn", "path_link": "fnpfp", "path_open": "fnphrrno", "path_readlink": "fpbo",
	"path_remove_directory": "fp", "path_rename": "fpfp", "path_symlink": "pfp", "path_unlink_file": "fp",
	"poll_oneoff": "oono", "random_get": "b",
}

// act makes one call with arguments from a source of bytes: sensible ones, or
// all but one, or any. A program that exits goes on.
func (p *program) act(next func() byte) error {
	p.fixtures()
	c := calls[int(next())%len(calls)]
	stack, kind := make([]uint64, 0, 10), next()
	for _, role := range roles[c.name] {
		stack = append(stack, p.sensible(next, role)...)
	}
	if len(stack) == 0 || kind < 64 {
		stack = stack[:0]
		for _, wide := range c.params {
			stack = append(stack, p.argument(next, wide == 'l'))
		}
	} else if kind < 128 {
		i := int(next()) % len(stack)
		stack[i] = p.argument(next, c.params[i] == 'l')
	}
	err := p.s.answer(p, c.do, append(stack, 0))
	if exit := (*machine.Fault)(nil); errors.As(err, &exit) {
		return nil
	}
	return err
}

const (
	hostileIovecs = 0x1000 // eight buffers of 0 to 70 bytes
	hostileOut    = 0x2000
	hostileBuffer = 0x3000
)

func (p *program) sensible(next func() byte, role rune) []uint64 {
	b := uint64(next())
	switch role {
	case 'f':
		return []uint64{[]uint64{3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}[b%13]}
	case 'g':
		return []uint64{7 + b%6}
	case 'p':
		k := b % uint64(len(hostilePaths))
		return []uint64{64 * k, uint64(len(hostilePaths[k]))}
	case 'v':
		return []uint64{hostileIovecs, b % 9}
	case 'o':
		return []uint64{hostileOut + b}
	case 'b':
		return []uint64{hostileBuffer, b * 2}
	case 'r':
		return []uint64{all &^ (1 << (b % 40))}
	case 'h':
		return []uint64{[]uint64{0, 0, openCreate, openCreate, openDirectory, openTruncate, openCreate | openExclusive, openCreate | openTruncate}[b%8]}
	case 's':
		return []uint64{b * b}
	case 'w':
		return []uint64{b % 3}
	default:
		return []uint64{b % 6}
	}
}

// argument is a number that a program might give: small, a descriptor, a
// pointer to a path, its length, a hostile one.
func (p *program) argument(next func() byte, wide bool) uint64 {
	b := uint64(next())
	switch next() % 8 {
	case 0:
		return b % 12
	case 1:
		return 64 * (b % 24)
	case 2:
		return b % 16
	case 3:
		return b << 8
	case 4:
		if wide {
			return ^b << (next() % 64)
		}
		return ^b & 0xffffffff
	case 5:
		return 1 << (b % 30)
	case 6:
		if wide {
			return all
		}
		return b%12 + 3
	default:
		return uint64(len(p.memory)) - b
	}
}

// check holds what must be true of a system at any time.
func (s *System) verify() error {
	live, names, total, held := map[*inode]bool{}, 0, int64(0), 0
	var visit func(n *inode) error
	visit = func(n *inode) error {
		if live[n] {
			return nil
		}
		live[n] = true
		total += int64(len(n.data) + len(n.target))
		if n.kind != Dir {
			return nil
		}
		count := 0
		for name, child := range n.dir.entries {
			if child == nil {
				names++
				continue
			}
			count++
			if child.links == 0 || child.kind == Dir && child.dir.parent != n {
				return fmt.Errorf("%s has %d links or another parent", name, child.links)
			}
			if err := visit(child); err != nil {
				return err
			}
		}
		if count != n.dir.count {
			return fmt.Errorf("directory has %d entries, says %d", count, n.dir.count)
		}
		return nil
	}
	for _, m := range s.mounts {
		if err := visit(m.root); err != nil {
			return err
		}
	}
	for _, d := range s.table.open {
		if d == nil {
			continue
		}
		held++
		if d.node != nil {
			if d.node.opens == 0 {
				return fmt.Errorf("an open inode says it is not")
			}
			if err := visit(d.node); err != nil {
				return err
			}
		}
	}
	if len(live)+names != s.inodes || total != s.total || held != s.table.held {
		return fmt.Errorf("%d inodes and %d absent, %d bytes, %d descriptors; the system says %d, %d, %d",
			len(live), names, total, held, s.inodes, s.total, s.table.held)
	}
	return nil
}

// FuzzCalls makes any calls with any arguments: no panic, no broken invariant,
// no more memory than fuel pays for, and the same result twice.
func FuzzCalls(f *testing.F) {
	f.Add([]byte("some bytes to start from, enough for a few calls"))
	f.Add(bytes.Repeat([]byte{31, 3, 0, 1, 0, 2, 3, 9, 5, 6, 6}, 30))
	f.Fuzz(func(t *testing.T, data []byte) {
		var ends [2]string
		for i := range ends {
			p, rest := hostile(t), data
			for len(rest) > 0 {
				next := func() byte {
					if len(rest) == 0 {
						return 0
					}
					b := rest[0]
					rest = rest[1:]
					return b
				}
				if err := p.act(next); err != nil {
					break
				}
				if err := p.s.verify(); err != nil {
					t.Fatal(err)
				}
			}
			p.s.caller = nil
			changes, err := p.s.Changes()
			ends[i] = fmt.Sprint(p.fuel, p.s.time, p.s.Result(), showChanges(changes), err, showObservations(p.s.Observations()), digestOf(p.memory))
		}
		if ends[0] != ends[1] {
			t.Fatalf("two runs differ:\n%s\n%s", ends[0], ends[1])
		}
	})
}

// Many random calls, as FuzzCalls, in every test run.
func TestRandomCalls(t *testing.T) {
	var answers, ended int
	for seed := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, 1))
		p := hostile(t)
		p.fuel = 100_000
		for range 1000 {
			if err := p.act(func() byte { return byte(random.Uint32()) }); err != nil {
				ended++
				break
			}
			answers++
			if err := p.s.verify(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
	if answers < 10_000 || ended == 0 {
		t.Errorf("%d calls, %d programs ended: the arguments are no good", answers, ended)
	}
}

// FuzzPath resolves any path in a tree with links of all sorts, and never
// comes out of the directory it starts in.
func FuzzPath(f *testing.F) {
	for _, path := range []string{"a/b", "l/../x", "o/etc", "../x", "a//./b/", "x/x"} {
		f.Add(path, "../..", "a/l")
	}
	f.Fuzz(func(t *testing.T, path, target, at string) {
		p := scratch(t)
		p.mkdir(3, "a")
		p.mkdir(3, "a/b")
		p.file(3, "secret", "outside of a")
		if len(target) < 200 && len(at) < 200 {
			p.symlink(3, target, at)
			p.symlink(3, target, "a/l")
		}
		if len(path) > 8192 {
			return
		}
		dir := p.open(3, "a", openDirectory)
		top := p.s.table.open[dir].node
		bytesAt, n := p.put(path)
		got, err := p.s.path(uint32(bytesAt), uint32(n))
		if err != nil {
			return
		}
		place, err := p.s.resolve(&descriptor{node: top}, got, true)
		if err != nil {
			if _, ok := err.(Errno); !ok {
				t.Fatal(err)
			}
			return
		}
		for d := place.parent(); d != top; d = d.dir.parent {
			if d == nil {
				t.Fatalf("%q with a link to %q leads out", path, target)
			}
		}
	})
}

// parent is a directory that a place is in, or is.
func (p place) parent() *inode {
	if p.dir != nil {
		return p.dir
	}
	return p.node
}
