package posix

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"carrel/machine"
)

// There is every function of preview 1, with its type.
func TestImports(t *testing.T) {
	if len(calls) != 46 {
		t.Errorf("%d functions", len(calls))
	}
	types := map[string]string{
		"fd_write": "[i32 i32 i32 i32] -> [i32]", "fd_seek": "[i32 i64 i32 i32] -> [i32]", "proc_exit": "[i32] -> []",
		"path_open": "[i32 i32 i32 i32 i32 i64 i64 i32 i32] -> [i32]", "sched_yield": "[] -> [i32]",
		"clock_time_get": "[i32 i64 i32] -> [i32]", "fd_readdir": "[i32 i32 i32 i64 i32] -> [i32]",
		"path_filestat_set_times": "[i32 i32 i32 i32 i64 i64 i32] -> [i32]", "sock_recv": "[i32 i32 i32 i32 i32 i32] -> [i32]",
	}
	for name, want := range types {
		for _, module := range []string{modulePreview1, moduleUnstable} {
			if got := Imports()[[2]string{module, name}].Type.String(); got != want {
				t.Errorf("%s.%s is %s, want %s", module, name, got, want)
			}
		}
	}
	if _, ok := Imports()[[2]string{moduleUnstable, "sock_accept"}]; ok || len(Imports()) != 2*46-1+1 {
		t.Errorf("%d imports", len(Imports()))
	}
	if i, ok := Imports().Find("env", "invoke_jid"); !ok || i.Type.String() != "[i32 i32 f64] -> [i64]" {
		t.Errorf("env.invoke_jid is %v", i.Type)
	}
}

func TestArguments(t *testing.T) {
	p := start(t, Config{Args: []string{"prog", "", "ä"}, Env: []string{"B=2", "A="}})
	count, size := uint64(p.alloc(4)), uint64(p.alloc(4))
	pointers, buffer := uint64(p.alloc(64)), uint64(p.alloc(64))
	for _, tt := range []struct {
		call, want string
		count      uint32
	}{{"args", "prog\x00\x00ä\x00", 3}, {"environ", "B=2\x00A=\x00", 2}} {
		p.want(0, tt.call+"_sizes_get", count, size)
		p.want(0, tt.call+"_get", pointers, buffer)
		n := le.Uint32(p.memory[size:])
		if got := string(p.memory[buffer : buffer+uint64(n)]); got != tt.want || le.Uint32(p.memory[count:]) != tt.count {
			t.Errorf("%s: %q, %d", tt.call, got, le.Uint32(p.memory[count:]))
		}
		second := le.Uint32(p.memory[pointers+4:])
		if second != uint32(buffer)+uint32(strings.IndexByte(tt.want, 0))+1 {
			t.Errorf("%s: second pointer %d", tt.call, second)
		}
	}
}

func TestBadConfig(t *testing.T) {
	for name, config := range map[string]Config{
		"zero byte":      {Args: []string{"a\x00b"}},
		"long arguments": {Env: []string{strings.Repeat("x", ArgBytesMax)}},
		"long seed":      {Seed: make([]byte, SeedBytesMax+1)},
		"late":           {Start: math.MaxInt64 + 1},
		"clock":          {Clock: 2},
		"same path":      {Mounts: []Mount{{Guest: "/a"}, {Guest: "/a/"}}},
		"empty path":     {Mounts: []Mount{{Guest: ""}}},
		"absent":         {Mounts: []Mount{{Guest: "/a", Tree: brokenTree{}}}},
		"too many":       {Mounts: make([]Mount, MountsMax+1)},
	} {
		if _, err := New(config); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestClocks(t *testing.T) {
	for _, mode := range []Clock{Tick, Fixed} {
		p := start(t, Config{Start: 5_000_000, Clock: mode})
		read := func(clock uint64) uint64 {
			out := uint64(p.alloc(8))
			p.want(0, "clock_time_get", clock, 0, out)
			return le.Uint64(p.memory[out:])
		}
		tick := uint64(1000)
		if mode == Fixed {
			tick = 0
		}
		got := [6]uint64{read(clockRealtime), read(clockMonotonic), read(clockProcess), read(clockThread), read(clockRealtime)}
		p.sleep(7)
		got[5] = read(clockRealtime)
		want := [6]uint64{5_000_000, monotonicStart + tick, 2 * tick, 3 * tick, 5_000_000 + 4*tick, 5_000_000 + 5*tick + 7}
		if got != want {
			t.Errorf("%v: %d, want %d", mode, got, want)
		}
		if got := read(clockProcess); got != 6*tick {
			t.Errorf("%v: sleep used the processor: %d", mode, got)
		}
		p.want(EINVAL, "clock_time_get", 4, 0, 64)
		p.want(EINVAL, "clock_res_get", 4, 64)
		p.want(0, "clock_res_get", 1, 64)
		p.sleep(math.MaxUint64)
		if got := read(clockRealtime); got != timeMax {
			t.Errorf("%v: after a long sleep %d", mode, got)
		}
	}
}

// event is what poll_oneoff answers.
type event struct {
	userdata uint64
	errno    Errno
	tag      byte
	bytes    uint64
}

// wait is one subscription: of a clock, or of a descriptor.
type wait struct {
	tag     byte
	which   uint32 // clock or descriptor
	timeout uint64
	until   bool // timeout is a time
}

func (p *program) sleep(nanos uint64) { p.poll(wait{pollClock, clockMonotonic, nanos, false}) }

func (p *program) poll(waits ...wait) []event {
	p.t.Helper()
	in, out, n := p.alloc(48*len(waits)), p.alloc(32*len(waits)), p.alloc(4)
	for i, w := range waits {
		b := p.memory[int(in)+48*i:]
		clear(b[:48])
		le.PutUint64(b, uint64(100+i))
		b[8] = w.tag
		le.PutUint32(b[16:], w.which)
		le.PutUint64(b[24:], w.timeout)
		if w.until {
			b[40] = 1
		}
	}
	p.want(0, "poll_oneoff", uint64(in), uint64(out), uint64(len(waits)), uint64(n))
	events := make([]event, le.Uint32(p.memory[n:]))
	for i := range events {
		b := p.memory[int(out)+32*i:]
		events[i] = event{le.Uint64(b), Errno(le.Uint16(b[8:])), b[10], le.Uint64(b[16:])}
	}
	return events
}

func TestPoll(t *testing.T) {
	p := start(t, Config{Start: 1000, Clock: Fixed, Stdin: strings.NewReader("x"), Mounts: []Mount{{Guest: "/w", Writable: true}}})
	fd := p.open(3, "file", openCreate)
	p.write(fd, "12345")
	p.want(0, "fd_seek", fd, 2, seekStart, 64)
	for i, tt := range []struct {
		waits   []wait
		want    []event
		elapsed uint64
	}{
		{[]wait{{pollClock, 1, 50, false}}, []event{{100, 0, 0, 0}}, 50},
		{[]wait{{pollClock, 1, 50, false}, {pollClock, 0, 20, false}, {pollClock, 2, 20, false}}, []event{{101, 0, 0, 0}, {102, 0, 0, 0}}, 20},
		{[]wait{{pollClock, 0, 1010, true}}, []event{{100, 0, 0, 0}}, 0}, // 1070 by now
		{[]wait{{pollClock, 0, 1090, true}}, []event{{100, 0, 0, 0}}, 20},
		{[]wait{{pollClock, 1, 50, false}, {pollRead, 0, 0, false}}, []event{{101, 0, 1, 1}}, 0},
		{[]wait{{pollClock, 1, 0, false}, {pollWrite, 1, 0, false}}, []event{{100, 0, 0, 0}, {101, 0, 2, 0}}, 0},
		{[]wait{{pollRead, uint32(fd), 0, false}, {pollWrite, uint32(fd), 0, false}}, []event{{100, 0, 1, 3}, {101, 0, 2, 0}}, 0},
		{[]wait{{pollRead, 99, 0, false}, {pollClock, 1, 9, false}}, []event{{100, EBADF, 1, 0}}, 0},
		{[]wait{{pollWrite, 0, 0, false}}, []event{{100, ENOTCAPABLE, 2, 0}}, 0},
		{[]wait{{pollClock, 9, 9, false}}, []event{{100, EINVAL, 0, 0}}, 0},
	} {
		before := p.s.time.elapsed
		got := p.poll(tt.waits...)
		if len(got) != len(tt.want) {
			t.Errorf("%d: %+v", i, got)
			continue
		}
		for k := range got {
			if got[k] != tt.want[k] {
				t.Errorf("%d: %+v, want %+v", i, got, tt.want)
			}
		}
		if elapsed := p.s.time.elapsed - before; elapsed != tt.elapsed {
			t.Errorf("%d: %d ns went by, want %d", i, elapsed, tt.elapsed)
		}
	}
	p.want(EINVAL, "poll_oneoff", 64, 64, 0, 64)
	p.want(EINVAL, "poll_oneoff", 64, 64, PollMax+1, 64)
	p.memory[128+8] = 3
	p.want(EINVAL, "poll_oneoff", 128, 256, 1, 64)
}

// The stream of a seed is fixed: host layer version 1. The values were made with
// another implementation (openssl enc -aes-256-ctr).
func TestRandom(t *testing.T) {
	for seed, want := range map[string]string{
		"":     "80d39535a93f722e2e56b52896b34e97",
		"\x01": "cf734c2070b99bc2cca38acd544162e6",
		"seed": "d5ebe5e55adbd844e29ba04929e32f41",
	} {
		p := start(t, Config{Seed: []byte(seed)})
		at := uint64(p.alloc(16))
		p.want(0, "random_get", at, 3)
		p.want(0, "random_get", at+3, 13)
		got := hex.EncodeToString(p.memory[at : at+16])
		if got != want {
			t.Errorf("seed %q: %s, want %s", seed, got, want)
		}
		q := start(t, Config{Seed: []byte(seed)})
		q.want(0, "random_get", at, 16)
		if again := hex.EncodeToString(q.memory[at : at+16]); again != got {
			t.Errorf("seed %q: in parts %s, at once %s", seed, got, again)
		}
	}
}

func TestStreams(t *testing.T) {
	for name, tt := range map[string]struct {
		lines bool
		input io.Reader
		sizes []int
		want  []string
		read  uint64
		end   bool
	}{
		"whole":        {false, strings.NewReader("ab\ncd\n"), []int{4, 4, 4}, []string{"ab\nc", "d\n", ""}, 6, true},
		"in drops":     {false, iotest.OneByteReader(strings.NewReader("ab\ncd\n")), []int{4, 2}, []string{"ab\nc", "d\n"}, 6, false},
		"lines":        {true, strings.NewReader("ab\ncd\nef"), []int{10, 2, 10, 10, 10}, []string{"ab\n", "cd", "\n", "ef", ""}, 8, true},
		"lines, drops": {true, iotest.OneByteReader(strings.NewReader("ab\ncd\n")), []int{10, 2, 10}, []string{"ab\n", "cd", "\n"}, 6, false},
		"data and end": {true, iotest.DataErrReader(strings.NewReader("ab")), []int{10, 10}, []string{"ab", ""}, 2, true},
		"none":         {false, nil, []int{5}, []string{""}, 0, true},
		"nothing":      {false, strings.NewReader("x"), []int{0}, []string{""}, 0, false},
	} {
		p := start(t, Config{Stdin: tt.input, StdinLines: tt.lines})
		for i, size := range tt.sizes {
			if got := p.read(0, size); got != tt.want[i] {
				t.Errorf("%s: read %d is %q, want %q", name, i, got, tt.want[i])
			}
		}
		result := p.s.Result()
		if result.Stdin != (Stream{tt.read, digestOf([]byte(strings.Join(tt.want, "")))}) || result.StdinEnd != tt.end {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

func TestOutput(t *testing.T) {
	var out, errs bytes.Buffer
	p := start(t, Config{Stdout: &out, Stderr: &errs})
	list := p.alloc(24)
	for i, text := range []string{"hello, ", "", "world\n"} {
		at, n := p.put(text)
		le.PutUint32(p.memory[int(list)+8*i:], uint32(at))
		le.PutUint32(p.memory[int(list)+8*i+4:], uint32(n))
	}
	p.want(0, "fd_write", 1, uint64(list), 3, 32)
	p.write(2, "oops")
	p.want(ENOTCAPABLE, "fd_write", 0, uint64(list), 3, 64)
	p.want(ENOTCAPABLE, "fd_read", 1, uint64(list), 3, 64)
	p.want(ESPIPE, "fd_seek", 1, 0, 0, 64)
	result := p.s.Result()
	if out.String() != "hello, world\n" || errs.String() != "oops" || le.Uint32(p.memory[32:]) != 13 ||
		result.Stdout != (Stream{13, digestOf(out.Bytes())}) || result.Stderr != (Stream{4, digestOf(errs.Bytes())}) {
		t.Errorf("%q %q %+v", out.String(), errs.String(), result)
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
func (brokenPipe) Read([]byte) (int, error)  { return 0, io.ErrClosedPipe }

// A host that fails ends the program; the program never sees it.
func TestHostFailure(t *testing.T) {
	for _, call := range []string{"fd_write", "fd_read"} {
		p := start(t, Config{Stdout: brokenPipe{}, Stdin: brokenPipe{}})
		iov, n := p.iovec(p.put("text"))
		fd := uint64(len(call) - len("fd_read"))
		if _, err := p.raw(call, fd, iov, n, 64); !errors.Is(err, io.ErrClosedPipe) || !errors.Is(p.s.Err(), io.ErrClosedPipe) {
			t.Errorf("%s: %v, %v", call, err, p.s.Err())
		}
	}
}

func TestProcess(t *testing.T) {
	p := start(t, Config{})
	if _, err := p.raw("proc_exit", 300); err.Error() != machine.Exit(300).Error() {
		t.Errorf("exit: %v", err)
	}
	for signal, want := range map[uint64]string{0: "", 16: "", 27: "", 6: "exit 134", 9: "exit 137", 15: "exit 143"} {
		_, err := p.raw("proc_raise", signal)
		if err == nil && want != "" || err != nil && err.Error() != want {
			t.Errorf("raise %d: %v, want %q", signal, err, want)
		}
	}
	p.want(ENOTSUP, "proc_raise", 19)
	p.want(EINVAL, "proc_raise", 31)
	for name, args := range map[string][]uint64{
		"sock_accept": {0, 0, 64}, "sock_recv": {0, 0, 0, 0, 64, 64}, "sock_send": {0, 0, 0, 0, 64}, "sock_shutdown": {0, 0},
	} {
		p.want(ENOTSOCK, name, args...)
		args[0] = 50
		p.want(EBADF, name, args...)
	}
}

func TestDescriptors(t *testing.T) {
	p := scratch(t)
	a := p.open(3, "a", openCreate)
	b := p.open(3, "b", openCreate)
	c := p.open(3, "c", openCreate)
	if a != 4 || b != 5 || c != 6 {
		t.Errorf("opened %d %d %d", a, b, c)
	}
	p.close(5)
	p.close(4)
	if got := p.open(3, "d", openCreate); got != 4 {
		t.Errorf("lowest free is %d", got)
	}
	p.write(6, "through c")
	p.want(0, "fd_renumber", 6, 4)
	p.want(EBADF, "fd_close", 6)
	p.want(EBADF, "fd_renumber", 6, 4)
	p.want(EBADF, "fd_renumber", 4, 6)
	p.want(0, "fd_renumber", 4, 4)
	out := uint64(p.alloc(8))
	p.want(0, "fd_tell", 4, out)
	if at := le.Uint64(p.memory[out:]); at != 9 {
		t.Errorf("offset %d after renumbering", at)
	}
	if got := p.open(3, "e", openCreate); got != 5 {
		t.Errorf("lowest free is %d", got)
	}
	p.want(0, "fd_renumber", 4, 5)
	if got := p.open(3, "e", 0); got != 4 {
		t.Errorf("lowest free after renumbering is %d", got)
	}
	// Over a preopened directory, which is then gone.
	p.want(0, "fd_prestat_get", 3, out)
	if n := le.Uint32(p.memory[out+4:]); n != 2 {
		t.Errorf("name of %d bytes", n)
	}
	p.want(ENAMETOOLONG, "fd_prestat_dir_name", 3, out, 1)
	p.want(0, "fd_prestat_dir_name", 3, out, 5)
	p.want(EBADF, "fd_prestat_get", 4, out)
	p.want(EBADF, "fd_prestat_get", 9, out)
	p.want(0, "fd_renumber", 4, 3)
	p.want(EBADF, "fd_prestat_get", 3, out)
	for _, fd := range []uint64{0, 1, 2} {
		p.close(fd)
	}
	p.want(EBADF, "fd_write", 1, 0, 0, out)
	// Flags.
	p.want(0, "fd_fdstat_set_flags", 3, flagAppend|flagNonblock)
	p.want(EINVAL, "fd_fdstat_set_flags", 3, 32)
	p.want(0, "fd_fdstat_get", 3, uint64(p.alloc(24)))
}

func TestUnstable(t *testing.T) {
	p := scratch(t)
	fd := p.open(3, "file", openCreate)
	p.write(fd, "0123456789")
	p.want(0, "path_link", p.link(3, "file", "hard")...)
	old := func(name string, args ...uint64) {
		t.Helper()
		stack := args
		if err := p.s.answer(p, unstable[name], stack); err != nil || stack[0] != 0 {
			t.Fatalf("%s: %v %d", name, err, stack[0])
		}
	}
	old("fd_filestat_get", fd, 512)
	b := p.memory[512:]
	if b[16] != 4 || le.Uint32(b[20:]) != 2 || le.Uint64(b[24:]) != 10 {
		t.Errorf("status %x", b[:56])
	}
	for whence, want := range []uint64{10, 9, 1} { // current, end, start
		old("fd_seek", fd, []uint64{0, math.MaxUint64, 1}[whence], uint64(whence), 512)
		if got := le.Uint64(p.memory[512:]); got != want {
			t.Errorf("seek %d: %d, want %d", whence, got, want)
		}
	}
	sub := p.memory[1024:]
	sub[8] = pollClock
	le.PutUint32(sub[24:], clockMonotonic)
	le.PutUint64(sub[32:], 77)
	before := p.s.time.elapsed
	old("poll_oneoff", 1024, 2048, 1, 512)
	if got := p.s.time.elapsed - before; got != 77 {
		t.Errorf("slept %d", got)
	}
}
