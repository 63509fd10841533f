package posix

import (
	"bytes"
	"testing"
)

// TestTurns holds what goes on from one turn to the next, and what does not.
func TestTurns(t *testing.T) {
	var host []byte
	seen := map[string]bool{}
	for n, tt := range []struct {
		start               uint64 // as configured
		real, elapsed, busy uint64 // at the start of the turn
	}{
		{5000, 5000, 0, 0},
		{0, 5000 + 1000 + 77, 1000 + 77, 1000},
		{90_000, 90_000, 2 * (1000 + 77), 2000},
	} {
		s, err := New(Config{Start: tt.start, Seed: []byte("seed"), Host: host})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.time; got.real != tt.real || got.elapsed != tt.elapsed || got.busy != tt.busy {
			t.Errorf("turn %d begins at %+v, want %+v", n, got, tt)
		}
		s.time.read(clockRealtime)
		s.time.sleep(77)
		chance := make([]byte, 16)
		newRandom(s.config.Seed, s.turn).XORKeyStream(chance, chance)
		if seen[string(chance)] {
			t.Errorf("turn %d has the random numbers of another", n)
		}
		seen[string(chance)] = true
		host = s.Host()
		again, err := readRegion(host)
		if err != nil || again.Turns != uint64(n+1) {
			t.Errorf("host region after turn %d: %+v, %v", n, again, err)
		}
	}
	if want := []byte{0x85, 1, 3, 0x1a, 0, 1, 0x63, 0xc5, 0x19, 0x0c, 0x9f, 0x19, 0x0b, 0xb8}; !bytes.Equal(host, want) {
		t.Errorf("host region %x, want %x", host, want)
	}
}

func TestBadRegions(t *testing.T) {
	good := (&System{turn: 4}).Host()
	if _, err := readRegion(good); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"cut":                good[:len(good)-1],
		"more":               append(bytes.Clone(good), 0),
		"not CBOR":           []byte("nothing"),
		"another version":    {0x85, 2, 5, 0, 0, 0},
		"too few":            {0x84, 1, 5, 0, 0},
		"too many":           {0x86, 1, 5, 0, 0, 0, 0},
		"negative":           {0x85, 1, 5, 0x20, 0, 0},
		"not the shortest":   {0x85, 1, 0x18, 5, 0, 0, 0},
		"indefinite":         {0x9f, 1, 5, 0, 0, 0, 0xff},
		"too late":           {0x85, 1, 5, 0x1b, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"a tag":              {0xc1, 0x85, 1, 5, 0, 0, 0},
		"longer than ever":   make([]byte, regionBytesMax+1),
		"a map in its place": {0xa0},
	} {
		if r, err := readRegion(b); err == nil {
			t.Errorf("%s: %x is taken for %+v", name, b, r)
		}
		if _, err := New(Config{Host: b}); err == nil {
			t.Errorf("%s: New took it", name)
		}
	}
}

func FuzzRegion(f *testing.F) {
	f.Add((&System{turn: 4}).Host())
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readRegion(b)
		if err != nil || len(b) == 0 {
			return
		}
		again := (&System{turn: r.Turns - 1, time: virtualTime{real: r.Real, elapsed: r.Elapsed, busy: r.Busy}}).Host()
		if !bytes.Equal(again, b) {
			t.Errorf("%x is read, and written as %x", b, again)
		}
	})
}
