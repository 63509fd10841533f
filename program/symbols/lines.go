package symbols

import (
	"cmp"
	"debug/dwarf"
	"slices"
	"strings"
)

const (
	// workMax bounds what is read for one Table: entries, ranges and rows of
	// line tables. It is a second or two of work; few programs come near.
	workMax = 10_000_000
	// inlinedMax bounds how deep calls are inlined into each other.
	inlinedMax = 32
)

// A unit is a compilation unit.
type unit struct {
	entry     *dwarf.Entry
	ranges    [][2]uint64
	dir       string                // where it was compiled
	functions map[span]dwarf.Offset // nil until they are needed
	sequences []sequence            // nil until they are needed, then in order of start
	files     []*dwarf.LineFile
}

// A sequence is a run of rows of a line table, one for each place where the line
// changes.
type sequence struct {
	start, end uint64
	rows       []row
}

type row struct {
	address uint64
	file    *dwarf.LineFile
	line    int
}

// lookup finds the calls at an address in a function, or none.
func (t *Table) lookup(body span, pc uint64) (calls []Call) {
	u := t.unit(body)
	if u == nil {
		return nil
	}
	defer func() {
		if recover() != nil { // a bug of debug/dwarf, met by what a program says
			calls = nil
		}
	}()
	at := t.row(u, body, pc)
	offset, ok := u.functions[body]
	if !ok {
		return known([]Call{{File: u.path(at.file), Line: at.line}})
	}
	r := t.debug.Reader()
	r.Seek(offset)
	function := t.next(r)
	if function == nil {
		return nil
	}
	return t.calls(u, function, t.inlined(r, function, pc), at)
}

// unit finds the unit that describes a function, by an entry or at least by lines
// from its beginning to its end; nil if there is none.
func (t *Table) unit(body span) (found *unit) {
	defer func() {
		if recover() != nil { // a bug of debug/dwarf, met by what a program says
			found = nil
		}
	}()
	// Old linkers cut ranges short: the units that do not seem to cover the
	// function come last.
	for _, covering := range []bool{true, false} {
		for _, u := range t.compiled() {
			if covers(u.ranges, uint64(body.start)) != covering {
				continue
			}
			if u.functions == nil {
				u.functions = t.described(u)
			}
			if _, ok := u.functions[body]; ok {
				return u
			}
		}
	}
	for _, u := range t.compiled() {
		if u.sequences == nil {
			t.table(u)
		}
		whole := func(s sequence) bool { return s.start == uint64(body.start) && s.end == uint64(body.end) }
		if slices.ContainsFunc(u.sequences, whole) {
			return u
		}
	}
	return nil
}

// compiled lists the compilation units.
func (t *Table) compiled() []*unit {
	if t.ready {
		return t.units
	}
	t.ready = true
	r := t.debug.Reader()
	for {
		entry := t.next(r)
		if entry == nil {
			return t.units
		}
		if entry.Tag == dwarf.TagCompileUnit {
			u := &unit{entry: entry, ranges: t.ranges(entry)}
			u.dir, _ = entry.Val(dwarf.AttrCompDir).(string)
			t.units = append(t.units, u)
		}
		t.skip(r, entry)
	}
}

// next reads an entry; nil if there is none, or there was enough.
func (t *Table) next(r *dwarf.Reader) *dwarf.Entry {
	if t.work <= 0 {
		return nil
	}
	t.work--
	entry, err := r.Next()
	if err != nil {
		return nil
	}
	return entry
}

// skip skips what is below an entry that was read last. (Reader.SkipChildren
// goes as deep in our stack as a program nests its entries.)
func (t *Table) skip(r *dwarf.Reader, entry *dwarf.Entry) {
	if !entry.Children {
		return
	}
	if to, ok := entry.Val(dwarf.AttrSibling).(dwarf.Offset); ok && to > entry.Offset {
		r.Seek(to)
		return
	}
	for depth := 1; depth > 0; {
		if entry = t.next(r); entry == nil {
			return
		}
		if entry.Tag == 0 {
			depth--
		} else if entry.Children {
			depth++
		}
	}
}

func (t *Table) ranges(entry *dwarf.Entry) [][2]uint64 {
	if t.work <= 0 {
		return nil
	}
	ranges, err := t.debug.Ranges(entry)
	t.work -= len(ranges)
	if err != nil {
		return nil
	}
	return ranges
}

func covers(ranges [][2]uint64, pc uint64) bool {
	return slices.ContainsFunc(ranges, func(r [2]uint64) bool { return r[0] <= pc && pc < r[1] })
}

// described finds the functions that a unit describes, by where they are.
func (t *Table) described(u *unit) map[span]dwarf.Offset {
	functions := map[span]dwarf.Offset{}
	r := t.debug.Reader()
	r.Seek(u.entry.Offset)
	for depth := 0; ; {
		entry := t.next(r)
		if entry == nil {
			break
		}
		if entry.Tag == dwarf.TagSubprogram {
			if at := t.ranges(entry); len(at) == 1 {
				functions[span{int(at[0][0]), int(at[0][1])}] = entry.Offset
			}
			t.skip(r, entry)
			continue
		}
		if entry.Tag == 0 {
			depth--
		} else if entry.Children {
			depth++
		}
		if depth == 0 {
			break
		}
	}
	return functions
}

// inlined lists the calls at an address that were inlined into a function whose
// entry was read last, the outermost first.
func (t *Table) inlined(r *dwarf.Reader, function *dwarf.Entry, pc uint64) (found []*dwarf.Entry) {
	if !function.Children {
		return nil
	}
	for depth := 1; depth > 0 && len(found) < inlinedMax; {
		entry := t.next(r)
		if entry == nil {
			return found
		}
		switch entry.Tag {
		case 0:
			depth--
			continue
		case dwarf.TagInlinedSubroutine:
			if !covers(t.ranges(entry), pc) {
				t.skip(r, entry)
				continue
			}
			found = append(found, entry)
			if !entry.Children {
				return found
			}
			depth = 0 // what is left of the others does not matter
		case dwarf.TagLexDwarfBlock:
		default:
			t.skip(r, entry)
			continue
		}
		if entry.Children {
			depth++
		}
	}
	return found
}

// calls puts together what is known of an address in a function.
func (t *Table) calls(u *unit, function *dwarf.Entry, inlined []*dwarf.Entry, at row) []Call {
	calls := []Call{{File: u.path(at.file), Line: at.line}}
	innermost := &calls[0]
	for n := len(inlined) - 1; n >= 0; n-- {
		innermost.Function, innermost.Inlined = t.name(inlined[n]), true
		file, _ := inlined[n].Val(dwarf.AttrCallFile).(int64)
		line, _ := inlined[n].Val(dwarf.AttrCallLine).(int64)
		call := Call{Line: int(max(0, line))}
		if file >= 0 && file < int64(len(u.files)) {
			call.File = u.path(u.files[file])
		}
		calls = append(calls, call)
		innermost = &calls[len(calls)-1]
	}
	innermost.Function = t.name(function)
	return known(calls)
}

// known leaves out files without lines and lines without files.
func known(calls []Call) []Call {
	for n := range calls {
		if calls[n].Line == 0 || calls[n].File == "" {
			calls[n].Line, calls[n].File = 0, ""
		}
	}
	return calls
}

// name is the name of a function that an entry is of, or speaks of.
func (t *Table) name(entry *dwarf.Entry) string {
	const hopsMax = 4
	for range hopsMax {
		if name, ok := entry.Val(dwarf.AttrLinkageName).(string); ok && mangled.MatchString(name) {
			return readable(name)
		}
		to, ok := entry.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
		if !ok {
			to, ok = entry.Val(dwarf.AttrSpecification).(dwarf.Offset)
		}
		if !ok {
			break
		}
		r := t.debug.Reader()
		r.Seek(to)
		if entry = t.next(r); entry == nil {
			return ""
		}
	}
	name, _ := entry.Val(dwarf.AttrName).(string)
	return short(name)
}

// row finds the row of the unit's line table for an address in a function.
func (t *Table) row(u *unit, body span, pc uint64) row {
	if u.sequences == nil {
		t.table(u)
	}
	for _, s := range u.sequences {
		// Those of functions that a linker took out may be anywhere.
		if s.start < uint64(body.start) || s.start > pc || s.end <= pc {
			continue
		}
		n, found := slices.BinarySearchFunc(s.rows, pc, func(r row, pc uint64) int { return cmp.Compare(r.address, pc) })
		for found && n+1 < len(s.rows) && s.rows[n+1].address == pc {
			n++
		}
		if !found {
			n--
		}
		return s.rows[n]
	}
	return row{}
}

// table reads the line table of a unit.
func (t *Table) table(u *unit) {
	u.sequences = []sequence{}
	r, err := t.debug.LineReader(u.entry)
	if err != nil || r == nil {
		return
	}
	u.files = r.Files()
	var rows []row
	ascending := true
	var entry dwarf.LineEntry
	for t.work > 0 && r.Next(&entry) == nil {
		t.work--
		if len(rows) > 0 && entry.Address < rows[len(rows)-1].address {
			ascending = false
		}
		if !entry.EndSequence {
			rows = append(rows, row{entry.Address, entry.File, entry.Line})
			continue
		}
		if len(rows) > 0 && ascending {
			u.sequences = append(u.sequences, sequence{rows[0].address, entry.Address, rows})
		}
		rows, ascending = nil, true
	}
}

// path is the name of a file as the compiler was given it, if that was in the
// directory where it ran.
func (u *unit) path(file *dwarf.LineFile) string {
	if file == nil {
		return ""
	}
	name := file.Name
	if u.dir != "" {
		name = strings.TrimPrefix(name, strings.TrimSuffix(u.dir, "/")+"/")
	}
	return short(strings.TrimPrefix(name, "./"))
}
