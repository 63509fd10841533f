package posix

import "testing"

// BenchmarkHello is what the host layer costs a small program.
func BenchmarkHello(b *testing.B) {
	b.ReportAllocs()
	p := start(b, Config{})
	at, n := p.put("hello, world\n")
	iov, count := p.iovec(at, n)
	for b.Loop() {
		s, err := New(Config{Args: []string{"hello"}, Env: []string{"A=1"}, Mounts: []Mount{{Guest: "/tmp", Writable: true}}})
		if err != nil {
			b.Fatal(err)
		}
		p.s = s
		do := func(call func(*System, []uint64) error, args ...uint64) {
			var stack [9]uint64
			copy(stack[:], args)
			if err := s.answer(p, call, stack[:]); err != nil {
				b.Fatal(err)
			}
		}
		do((*System).argsSizesGet, 64, 68)
		do((*System).argsGet, 128, 256)
		do((*System).environSizesGet, 64, 68)
		do((*System).environGet, 128, 256)
		do((*System).fdPrestatGet, 3, 64)
		do((*System).fdPrestatDirName, 3, 64, 4)
		do((*System).fdPrestatGet, 4, 64)
		do((*System).fdFdstatGet, 1, 512)
		do((*System).fdWrite, 1, iov, count, 64)
		_ = s.Result()
	}
}
