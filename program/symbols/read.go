package symbols

import (
	"bytes"
	"debug/dwarf"
	"encoding/binary"
	"strings"
)

// Read reads what a program says of its code. It needs a program that is valid:
// of any other it reads what it can.
func Read(wasm []byte) *Table {
	t := &Table{names: map[uint32]string{}, exports: map[uint32]string{}, work: workMax}
	debug := map[string][]byte{}
	r := &reader{b: wasm, at: min(8, len(wasm))}
	for len(r.b) > r.at && !r.failed {
		id := r.byte()
		content := r.sized()
		at := r.at - len(content)
		switch id {
		case sectionCustom:
			t.custom(content, debug)
		case sectionImport:
			t.imports(content)
		case sectionExport:
			t.export(content)
		case sectionCode:
			t.code = at
			t.functions(content)
		}
	}
	t.debug = open(debug)
	return t
}

const (
	sectionCustom = 0
	sectionImport = 2
	sectionExport = 7
	sectionCode   = 10
)

func (t *Table) custom(content []byte, debug map[string][]byte) {
	r := &reader{b: content}
	name := string(r.sized())
	rest := r.b[min(r.at, len(r.b)):]
	switch {
	case r.failed:
	case name == "name":
		t.nameSection(rest)
	case strings.HasPrefix(name, ".debug_"):
		if _, twice := debug[name]; !twice {
			debug[name] = rest
		}
	}
}

// nameSection reads the names of functions.
func (t *Table) nameSection(content []byte) {
	r := &reader{b: content}
	for r.at < len(r.b) && !r.failed {
		id, part := r.byte(), r.sized()
		if id != 1 {
			continue
		}
		r := &reader{b: part}
		for n := r.u32(); n > 0 && !r.failed; n-- {
			index, name := r.u32(), r.sized()
			if !r.failed {
				t.names[index] = valid(name)
			}
		}
	}
}

// imports counts the functions among the imports: only these can be imported.
func (t *Table) imports(content []byte) {
	r := &reader{b: content}
	t.first = r.u32()
}

// export notes the names that functions are exported by.
func (t *Table) export(content []byte) {
	r := &reader{b: content}
	for n := r.u32(); n > 0 && !r.failed; n-- {
		name, kind, index := r.sized(), r.byte(), r.u32()
		if _, twice := t.exports[index]; kind == 0 && !twice && !r.failed {
			t.exports[index] = valid(name)
		}
	}
}

func valid(name []byte) string { return string(bytes.ToValidUTF8(name, []byte("\uFFFD"))) }

func (t *Table) functions(content []byte) {
	r := &reader{b: content}
	for n := r.u32(); n > 0 && !r.failed; n-- {
		body := r.sized()
		if !r.failed {
			t.bodies = append(t.bodies, span{r.at - len(body), r.at})
		}
	}
}

// open opens DWARF; nil if there is none that is good.
func open(sections map[string][]byte) (data *dwarf.Data) {
	defer func() {
		if recover() != nil { // a bug of debug/dwarf, met by what a program says
			data = nil
		}
	}()
	if len(sections[".debug_line"]) == 0 || !modest(sections[".debug_info"], sections[".debug_abbrev"]) {
		return nil
	}
	data, err := dwarf.New(sections[".debug_abbrev"], nil, nil, sections[".debug_info"],
		sections[".debug_line"], nil, sections[".debug_ranges"], sections[".debug_str"])
	if err != nil {
		return nil
	}
	for _, name := range []string{".debug_addr", ".debug_line_str", ".debug_str_offsets", ".debug_rnglists"} {
		if content, ok := sections[name]; ok && data.AddSection(name, content) != nil {
			return nil
		}
	}
	return data
}

// modest reports whether the tables of abbreviations that units name are no more,
// all in all, than tables that do not overlap can be: debug/dwarf keeps each.
func modest(info, abbreviations []byte) bool {
	seen := map[uint32]bool{}
	total := 0
	for len(info) > 0 {
		if len(info) < 12 {
			return false
		}
		length, version := binary.LittleEndian.Uint32(info), binary.LittleEndian.Uint16(info[4:])
		offset := binary.LittleEndian.Uint32(info[6:])
		if version >= 5 {
			offset = binary.LittleEndian.Uint32(info[8:])
		}
		if uint64(length)+4 > uint64(len(info)) || int64(offset) > int64(len(abbreviations)) {
			return false
		}
		info = info[length+4:]
		if seen[offset] {
			continue
		}
		seen[offset] = true
		if total += tableSize(abbreviations[offset:]); total > len(abbreviations) {
			return false
		}
	}
	return true
}

// tableSize is the size of a table of abbreviations at the start of b.
func tableSize(b []byte) int {
	const implicitConst = 0x21 // the form with a number behind it
	r := &reader{b: b}
	for r.u32() != 0 && !r.failed {
		r.u32() // tag
		r.byte()
		for {
			attribute, form := r.u32(), r.u32()
			if form == implicitConst {
				for r.byte()&0x80 != 0 {
				}
			}
			if attribute == 0 && form == 0 || r.failed {
				break
			}
		}
	}
	return r.at
}

// A reader walks over bytes. After what it cannot read it has failed, and reads
// nothing more.
type reader struct {
	b      []byte
	at     int
	failed bool
}

func (r *reader) byte() byte {
	if r.failed || r.at >= len(r.b) {
		r.failed = true
		return 0
	}
	r.at++
	return r.b[r.at-1]
}

// u32 reads an unsigned LEB128.
func (r *reader) u32() uint32 {
	if r.failed {
		return 0
	}
	x, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 || x > 1<<32-1 {
		r.failed = true
		return 0
	}
	r.at += n
	return uint32(x)
}

// sized reads bytes with their number before them.
func (r *reader) sized() []byte {
	n := int64(r.u32())
	if r.failed || n > int64(len(r.b)-r.at) {
		r.failed = true
		return nil
	}
	r.at += int(n)
	return r.b[r.at-int(n) : r.at]
}
