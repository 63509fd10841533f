package page

import (
	"bytes"
	"testing"
)

func TestReserve(t *testing.T) {
	r, err := Reserve(false)
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
		r, err := Reserve(false)
		if err != nil {
			t.Fatal(err)
		}
		memory := r.Sized(1 << 20)
		if !bytes.Equal(memory, make([]byte, len(memory))) {
			t.Fatal("a new reservation is not zero")
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
		r, err := Reserve(false)
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
		bytes, err := reserve(ReservationBytes, true)
		if err != nil {
			b.Fatal(err)
		}
		bytes[0], bytes[5000], bytes[70000] = 1, 1, 1
		release(bytes)
	}
}
