package posix

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestLayer1 pins host layer version 1: what calls answer, what they cost, what
// they leave in memory. A difference here is a new version of the host layer.
func TestLayer1(t *testing.T) {
	var b strings.Builder
	p := start(t, Config{
		Args: []string{"prog", "arg"}, Env: []string{"A=1"}, Start: 1_700_000_000_000_000_000, Seed: []byte("seed"),
		Stdin:  strings.NewReader("input of the program"),
		Mounts: []Mount{{Guest: "/w", Writable: true, Tree: fakeTree{"a": "alpha", "d/": "", "d/b": "beta", "l": "->d/b"}}, {Guest: "/w/d/m"}},
	})
	const at, in, out = 0x4000, 0x1000, 0x2000
	text := func(s string) (uint64, uint64) {
		copy(p.memory[in:], s)
		return in, uint64(len(s))
	}
	do := func(name string, args ...uint64) {
		before := p.fuel
		clear(p.memory[out : out+256])
		errno := p.call(name, slices.Clone(args)...)
		fmt.Fprintf(&b, "%s %d: %d, fuel %d, memory %s\n", name, args, errno, before-p.fuel, digestOf(p.memory[out : out+256])[7:15])
	}
	path := func(name, path string, before []uint64, after ...uint64) {
		s, n := text(path)
		fmt.Fprintf(&b, "%q ", path)
		do(name, append(append(before, s, n), after...)...)
	}
	do("args_get", out, out+64)
	do("environ_sizes_get", out, out+4)
	do("clock_time_get", 0, 0, out)
	do("clock_time_get", 1, 0, out)
	do("clock_time_get", 2, 0, out)
	do("random_get", out, 64)
	do("fd_prestat_get", 3, out)
	do("fd_fdstat_get", 0, out)
	do("fd_filestat_get", 1, out)
	path("path_filestat_get", "a", []uint64{3, 0}, out)
	path("path_filestat_get", "a", []uint64{3, 0}, out)
	path("path_filestat_get", "none", []uint64{3, 0}, out)
	path("path_filestat_get", "l", []uint64{3, 0}, out)
	path("path_filestat_get", "l", []uint64{3, 1}, out)
	path("path_open", "d/b", []uint64{3, 0}, 0, all, 0, 0, out)
	le.PutUint32(p.memory[at:], out+64)
	le.PutUint32(p.memory[at+4:], 100)
	do("fd_read", 5, at, 1, out)
	do("fd_seek", 5, 0, 0, out)
	do("fd_write", 5, at, 1, out)
	do("fd_read", 0, at, 1, out)
	do("fd_write", 1, at, 1, out)
	do("fd_readdir", 3, out, 200, 0, out+252)
	do("fd_readdir", 3, out, 200, 0, out+252)
	path("path_create_directory", "new", []uint64{3})
	do("fd_readdir", 3, out, 200, 0, out+252)
	path("path_filestat_get", "new", []uint64{3, 0}, out)
	path("path_filestat_get", "d/m/../b", []uint64{3, 0}, out)
	path("path_readlink", "l", []uint64{3}, out, 10, out+64)
	path("path_open", "f", []uint64{3, 0}, openCreate, all, 0, flagAppend, out)
	do("fd_allocate", 6, 0, 4096)
	do("fd_filestat_get", 6, out)
	do("fd_close", 6)
	path("path_unlink_file", "f", []uint64{3})
	path("path_symlink", "x/y", []uint64{in, 3, 3})
	path("path_rename", "a", []uint64{3}, 3, in, 1)
	le.PutUint64(p.memory[at+24:], 5_000_000)
	le.PutUint32(p.memory[at+16:], clockMonotonic)
	p.memory[at+8] = pollClock
	do("poll_oneoff", at, out, 1, out+200)
	do("clock_time_get", 0, 0, out)
	do("sched_yield")
	do("sock_shutdown", 0, 0)

	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 7))
		p := hostile(t)
		p.fuel = 1_000_000
		for range 1000 {
			if p.act(func() byte { return byte(random.Uint32()) }) != nil {
				break
			}
		}
		fmt.Fprintf(&b, "random %d: fuel %d, %+v, memory %s\n", seed, p.fuel, p.s.time, digestOf(p.memory))
	}
	golden(t, "testdata/layer1.golden", b.String())
}
