package bundle

import (
	"bytes"
	"fmt"
	"strconv"
)

const blockBytes = 512

var zeroBlock [blockBytes]byte

// header is the tar header (POSIX ustar) of an entry. Name and size are all
// that varies; the reader accepts no other header.
func header(name string, size int64) [blockBytes]byte {
	var b [blockBytes]byte
	copy(b[0:100], name)
	copy(b[100:], "0000444\x00")                  // mode
	copy(b[108:], "0000000\x00")                  // user
	copy(b[116:], "0000000\x00")                  // group
	copy(b[124:], fmt.Sprintf("%011o\x00", size)) // size
	copy(b[136:], "00000000000\x00")              // time
	copy(b[148:], "        ")                     // checksum, as blanks while it is computed
	b[156] = '0'                                  // a plain file
	copy(b[257:], "ustar\x0000")                  // magic and version
	copy(b[329:], "0000000\x00")                  // device
	copy(b[337:], "0000000\x00")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// parseHeader reads what header writes, and nothing else.
func parseHeader(b *[blockBytes]byte) (name string, size int64, err error) {
	end := bytes.IndexByte(b[:100], 0)
	if end <= 0 {
		return "", 0, fmt.Errorf("entry name %.100q is empty or too long", b[:100])
	}
	name = string(b[:end])
	size, err = strconv.ParseInt(string(b[124:135]), 8, 64)
	if err != nil || size < 0 {
		return "", 0, fmt.Errorf("entry %q: bad size %q", name, b[124:136])
	}
	if header(name, size) != *b {
		return "", 0, fmt.Errorf("entry %q: not a header as bundles have it", name)
	}
	return name, size, nil
}

// padding is what follows size bytes up to a whole block.
func padding(size int64) int64 { return -size & (blockBytes - 1) }
