package js

import "unicode/utf8"

// scrub makes UTF-8 of WTF-8, in place: a surrogate, which is half a character,
// has as many bytes as the U+FFFD that replaces it.
func scrub(b []byte) []byte {
	for n := 0; n+2 < len(b); n++ {
		if b[n] == 0xed && b[n+1] >= 0xa0 {
			n += copy(b[n:], "\ufffd") - 1
		}
	}
	return b
}

// repair makes UTF-8 of any bytes, as the Encoding Standard has it: a U+FFFD for
// as many bytes as could have begun a character, and at least one.
func repair(b []byte) []byte {
	result := make([]byte, 0, len(b)+len(b)/8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = subpart(b)
		}
		result = utf8.AppendRune(result, r)
		b = b[n:]
	}
	return result
}

// subpart is how many bytes of what is no character at the start of b are replaced
// together.
func subpart(b []byte) int {
	low, high, need := byte(0x80), byte(0xbf), 0
	switch first := b[0]; {
	case first >= 0xc2 && first <= 0xdf:
		need = 1
	case first >= 0xe0 && first <= 0xef:
		need = 2
		if first == 0xe0 {
			low = 0xa0
		} else if first == 0xed {
			high = 0x9f
		}
	case first >= 0xf0 && first <= 0xf4:
		need = 3
		if first == 0xf0 {
			low = 0x90
		} else if first == 0xf4 {
			high = 0x8f
		}
	}
	n := 1
	for ; n <= need && n < len(b) && b[n] >= low && b[n] <= high; n++ {
		low, high = 0x80, 0xbf
	}
	return n
}
