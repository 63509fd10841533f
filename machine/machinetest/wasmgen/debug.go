package wasmgen

import (
	"encoding/binary"
	"slices"
)

// A Described function is what debugging information says of a function.
type Described struct {
	Name    string // in the sources; nothing is said of a function without one
	Inlined string // linker's name of a function that all its code was inlined from
}

// InlinedAt is the line of the call of what was inlined.
const InlinedAt = 7

// LineOf is the line, in the file src/test.c, of the byte at an offset in the
// body of a function: the first one, as first that the module defines, is 0.
func LineOf(function, offset int) int { return (function+1)*1000 + offset }

// Debug gives a module DWARF 4 and names as clang makes them, for its first
// functions: each byte of theirs is a line of its own, see LineOf.
func Debug(wasm []byte, functions ...Described) []byte {
	imports, bodies := scan(wasm)
	var info, line, names []byte
	info = append(info, 4, 0, 0, 0, 0, 0, 4) // version, abbreviations, size of an address
	info = append(info, "\x01test.c\x00/build\x00\x00\x00\x00\x00"...)
	info = u32s(info, uint32(bodies[0][0]), uint32(bodies[len(bodies)-1][1]-bodies[0][0]))
	count := uint32(0)
	for n, f := range functions {
		if f.Name == "" {
			continue
		}
		count++
		names = Name(U32(names, imports+uint32(n)), f.Name)
		start, size := uint32(bodies[n][0]), uint32(bodies[n][1]-bodies[n][0])
		origin := uint32(len(info)) + 4
		if f.Inlined != "" {
			info = append(append(append(info, 3), f.Inlined...), 0)
		}
		info = append(append(append(info, 2), f.Name...), 0)
		info = u32s(info, start, size)
		if f.Inlined != "" {
			info = append(u32s(append(info, 4), origin, start, size), 1, InlinedAt)
		}
		info = append(info, 0)
		line = u32s(append(line, 0, 5, 2), start)
		line = append(S64(append(line, 3), int64(LineOf(n, 0)-1)), 1)
		for range size - 1 {
			line = append(line, 15) // one address and one line further
		}
		line = append(line, 2, 1, 0, 1, 1)
	}
	info = append(info, 0)
	header := append([]byte{1, 1, 1, 0, 4, 10, 0, 1, 1, 1, 1, 0, 0, 0, 1}, "src\x00\x00test.c\x00\x01\x00\x00\x00"...)
	line = slices.Concat(u32s([]byte{4, 0}, uint32(len(header))), header, line)
	abbreviations := "\x01\x11\x01\x03\x08\x1b\x08\x10\x17\x11\x01\x12\x06\x00\x00" +
		"\x02\x2e\x01\x03\x08\x11\x01\x12\x06\x00\x00" +
		"\x03\x2e\x00\x6e\x08\x00\x00" +
		"\x04\x1d\x00\x31\x13\x11\x01\x12\x06\x58\x0b\x59\x0b\x00\x00\x00"
	names = append(U32(nil, count), names...)
	wasm = slices.Clone(wasm)
	for _, s := range []struct {
		name    string
		content []byte
	}{
		{".debug_abbrev", []byte(abbreviations)},
		{".debug_info", append(u32s(nil, uint32(len(info))), info...)},
		{".debug_line", append(u32s(nil, uint32(len(line))), line...)},
		{"name", Section(nil, 1, names)},
	} {
		wasm = Section(wasm, 0, append(Name(nil, s.name), s.content...))
	}
	return wasm
}

// scan finds the number of imports, and where bodies are in the code section.
func scan(wasm []byte) (imports uint32, bodies [][2]int) {
	for b := wasm[8:]; len(b) > 0; {
		size, n := binary.Uvarint(b[1:])
		id, content := b[0], b[1+n:1+n+int(size)]
		b = b[1+n+int(size):]
		count, at := binary.Uvarint(content)
		switch id {
		case 2:
			imports = uint32(count)
		case 10:
			for range count {
				size, n := binary.Uvarint(content[at:])
				at += n + int(size)
				bodies = append(bodies, [2]int{at - int(size), at})
			}
		}
	}
	return imports, bodies
}

func u32s(b []byte, values ...uint32) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}
