package wazero

import (
	"encoding/binary"
	"strconv"
	"strings"

	"carrel/machine"
	"carrel/machine/meter"
)

// All that wazero tells of a stack is a text for people. It names a function by
// its index, as in ".$12(i32,i32) i32", if the module has no names; and where a
// module has DWARF, a line below begins with the offset of the instruction in
// the code section, as in "0x1a2: file:1". So the names are left out of what it
// compiles, and a program that has line tables gets DWARF of ours, which is one
// line for all its code: those of the program speak of other offsets.

// traceable is a module for wazero: what its stack traces say of it can be read.
func traceable(module *meter.Module) []byte {
	wasm := module.Wasm[:module.Layout.Names:module.Layout.Names]
	if !module.Layout.Lines {
		return wasm
	}
	for _, section := range oneLine {
		content := append([]byte{byte(len(section.name))}, section.name...)
		content = append(content, section.content...)
		wasm = append(binary.AppendUvarint(append(wasm, 0), uint64(len(content))), content...)
	}
	return wasm
}

// oneLine is DWARF version 2 for 32 bits. Address 0 stands for code that a
// linker took out, so it begins at 1.
var oneLine = []struct{ name, content string }{
	{".debug_abbrev", "\x01\x11\x00" + // 1 is a compile unit without children
		"\x11\x01" + "\x12\x01" + "\x10\x06" + "\x00\x00" + // low_pc addr, high_pc addr, stmt_list data4
		"\x00"},
	{".debug_info", "\x14\x00\x00\x00" + "\x02\x00" + "\x00\x00\x00\x00" + "\x04" + // length, version, abbreviations, size of an address
		"\x01" + "\x01\x00\x00\x00" + "\xff\xff\xff\x7f" + "\x00\x00\x00\x00"},
	{".debug_line", "\x2d\x00\x00\x00" + "\x02\x00" + "\x15\x00\x00\x00" + // length, version, length of the header
		"\x01\x01\x00\x01" + "\x0a\x00\x01\x01\x01\x01\x00\x00\x00\x01" + // steps of special opcodes, operands of standard ones
		"\x00" + "x\x00\x00\x00\x00" + "\x00" + // no directories, one file
		"\x00\x05\x02\x01\x00\x00\x00" + "\x01" + // address 1: a row
		"\x00\x05\x02\xff\xff\xff\x7f" + "\x00\x01\x01"}, // the end
}

// A layout reads stack traces of a module.
type layout meter.Layout

// frames reads a stack trace as far as it is one. The text before it must not
// be a guest's to choose.
func (l layout) frames(text string) []machine.Frame {
	_, trace, ok := strings.Cut(text, "wasm stack trace:\n\t")
	if !ok {
		return nil
	}
	var frames []machine.Frame
	var last *machine.Frame // nil while it is about a function of the host
	for line := range strings.SplitSeq(trace, "\n\t") {
		if line, ok := strings.CutPrefix(line, ".$"); ok {
			index, _, _ := strings.Cut(line, "(")
			n, err := strconv.ParseUint(index, 10, 32)
			if err != nil {
				return frames
			}
			frames = append(frames, machine.Frame{Function: uint32(n), Offset: -1})
			last = &frames[len(frames)-1]
			continue
		}
		if strings.HasPrefix(line, "... ") && len(frames) > 0 {
			frames[len(frames)-1].More = true
			break
		}
		line, ok := strings.CutPrefix(line, "\t0x")
		if !ok {
			last = nil
			continue
		}
		offset, _, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseUint(offset, 16, 31); err == nil && last != nil {
			last.Offset, last = l.Code+int(n), nil
		}
	}
	return frames
}
