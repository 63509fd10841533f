package quantity_test

import (
	"testing"

	"carrel/quantity"
)

func TestFuel(t *testing.T) {
	for _, c := range []struct {
		in   string
		want uint64
		text string // "" if it must fail
	}{
		{"0", 0, "0"},
		{"1", 1, "1"},
		{"1500", 1500, "1500"},
		{"10k", 10_000, "10k"},
		{"10K", 10_000, "10k"},
		{"10M", 10_000_000, "10M"},
		{"100G", 100_000_000_000, "100G"},
		{"2t", 2_000_000_000_000, "2T"},
		{"1_000_000", 1_000_000, "1M"},
		{"4611686018427387904", 1 << 62, "4611686018427387904"},
		{"4611686018427387905", 0, ""},
		{"99999999T", 0, ""},
		{"", 0, ""},
		{"M", 0, ""},
		{"-1", 0, ""},
		{"+1", 0, ""},
		{"1.5M", 0, ""},
		{"1 M", 0, ""},
		{"0x10", 0, ""},
		{"10MB", 0, ""},
	} {
		n, err := quantity.Fuel(c.in)
		if (err != nil) != (c.text == "") {
			t.Errorf("fuel %q: error %v", c.in, err)
		} else if err == nil && (n != c.want || quantity.FormatFuel(n) != c.text) {
			t.Errorf("fuel %q = %d %q, want %d %q", c.in, n, quantity.FormatFuel(n), c.want, c.text)
		}
	}
}

func TestBytes(t *testing.T) {
	for _, c := range []struct {
		in    string
		bytes uint64
		pages uint32
		fails bool
	}{
		{in: "65536", bytes: 65536, pages: 1},
		{in: "64K", bytes: 65536, pages: 1},
		{in: "64k", bytes: 65536, pages: 1},
		{in: "64KiB", bytes: 65536, pages: 1},
		{in: "64KB", bytes: 65536, pages: 1},
		{in: "100K", bytes: 102400, pages: 1},
		{in: "16M", bytes: 16 << 20, pages: 256},
		{in: "1Gi", bytes: 1 << 30, pages: 16384},
		{in: "2GiB", bytes: 2 << 30, pages: 32768},
		{in: "512B", bytes: 512},
		{in: "3G", bytes: 3 << 30},
		{in: "1T", fails: true},
		{in: "", fails: true},
		{in: "iB", fails: true},
		{in: "-1M", fails: true},
		{in: "18446744073709551615G", fails: true},
	} {
		n, err := quantity.Bytes(c.in)
		if (err != nil) != c.fails {
			t.Errorf("size %q: error %v", c.in, err)
			continue
		}
		if c.fails {
			continue
		}
		pages, err := quantity.Pages(n)
		if n != c.bytes || pages != c.pages || (err != nil) != (c.pages == 0) {
			t.Errorf("size %q = %d bytes, %d pages, %v; want %d bytes, %d pages", c.in, n, pages, err, c.bytes, c.pages)
		}
	}
}
