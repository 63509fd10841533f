package meter

import "encoding/binary"

// Encoding is by appending, as everywhere in Go.

func appendU32(b []byte, x uint32) []byte {
	return binary.AppendUvarint(b, uint64(x))
}

func appendS64(b []byte, x int64) []byte {
	for {
		c := byte(x & 0x7f)
		x >>= 7
		if x == 0 && c&0x40 == 0 || x == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func appendName(b []byte, name string) []byte {
	return append(appendU32(b, uint32(len(name))), name...)
}

// appendSection appends a section with the given content, unless it is empty.
func appendSection(b []byte, id byte, content []byte) []byte {
	if len(content) == 0 {
		return b
	}
	b = append(b, id)
	b = appendU32(b, uint32(len(content)))
	return append(b, content...)
}

func appendTypes(b []byte, types []ValType) []byte {
	b = appendU32(b, uint32(len(types)))
	for _, t := range types {
		b = append(b, byte(t))
	}
	return b
}
