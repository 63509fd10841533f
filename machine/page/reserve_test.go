package page

import (
	"testing"
)

func TestReserve(t *testing.T) {
	r, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	small := r.Sized(65536)
	small[0], small[65535] = 1, 2
	big := r.Sized(ReservationBytes)
	if &big[0] != &small[0] {
		t.Error("a reservation moved as it grew")
	}
	if big[0] != 1 || big[65535] != 2 || big[65536] != 0 || big[ReservationBytes-1] != 0 {
		t.Error("growing changed memory, or new memory is not zero")
	}
	if r.Sized(ReservationBytes+1) != nil {
		t.Error("Sized gave more than there is")
	}
	r.Release()
}

func TestReserveAgainIsZero(t *testing.T) {
	for range 3 * reservationsKept {
		r, err := Reserve()
		if err != nil {
			t.Fatal(err)
		}
		memory := r.Sized(1 << 20)
		if n := NonZero(memory); n != 0 {
			t.Fatalf("%d pages of a new reservation are not zero", n)
		}
		for i := range memory {
			memory[i] = 0xff
		}
		r.Release()
	}
}

// BenchmarkReserve is what an instance pays for a memory of two pages of which
// it writes three small ones.
func BenchmarkReserve(b *testing.B) {
	for b.Loop() {
		r, err := Reserve()
		if err != nil {
			b.Fatal(err)
		}
		memory := r.Sized(2 << 16)
		memory[0], memory[5000], memory[70000] = 1, 1, 1
		r.Release()
	}
}

func BenchmarkReserveFresh(b *testing.B) {
	for b.Loop() {
		bytes, err := reserve(ReservationBytes)
		if err != nil {
			b.Fatal(err)
		}
		bytes[0], bytes[5000], bytes[70000] = 1, 1, 1
		release(bytes)
	}
}

func TestNonZero(t *testing.T) {
	r, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	memory := r.Sized(1 << 30)
	want := 0
	for at := 0; at < len(memory); at += 1 + len(memory)/1000 { // more regions than one call tells
		memory[at] = 1
		want++
	}
	_ = memory[5000]                // read only
	memory[9000] = 0                // written, and zero
	memory[12288], want = 3, want+1 // next to it
	if got := NonZero(memory); got != want {
		t.Errorf("%d pages, want %d", got, want)
	}
	if got := NonZero(make([]byte, 1<<20)); got != 0 {
		t.Errorf("%d pages of Go's heap, want 0", got)
	}
}

// BenchmarkNonZero is what the end of a small guest costs that wrote 16 of its
// 17 pages of 64 KiB once.
func BenchmarkNonZero(b *testing.B) {
	r, err := Reserve()
	if err != nil {
		b.Fatal(err)
	}
	defer r.Release()
	memory := r.Sized(17 << 16)
	for n := range 16 {
		memory[n*65536] = 1
	}
	b.Run("asking", func(b *testing.B) {
		for b.Loop() {
			NonZero(memory)
		}
	})
	b.Run("reading", func(b *testing.B) {
		for b.Loop() {
			nonZero(memory)
		}
	})
}
