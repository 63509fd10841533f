package js

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzRegion reads what a stranger may have written into an image.
func FuzzRegion(f *testing.F) {
	good := region{Version: regionVersion, Turns: 3, Real: 5}
	f.Add(good.encode())
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0x81}, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readRegion(b)
		if err == nil && !bytes.Equal(r.encode(), b) {
			t.Errorf("%x is read as %+v", b, r)
		}
	})
}

// FuzzRepair has any bytes made into UTF-8.
func FuzzRepair(f *testing.F) {
	f.Add([]byte("aé€😀\xff\xe2\x82\xed\xa0\x80\xf4\x90"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := repair(b)
		if !utf8.Valid(got) {
			t.Errorf("%q is no UTF-8", got)
		}
		if utf8.Valid(b) && !bytes.Equal(got, b) {
			t.Errorf("%q becomes %q", b, got)
		}
		if len(got) > 3*len(b) {
			t.Errorf("%d bytes become %d", len(b), len(got))
		}
	})
}
