package meter

func (v *validator) table(at int) *table {
	index := v.u32()
	if int64(index) >= int64(len(v.p.tables)) {
		refuse(at, "unknown table %d", index)
	}
	return &v.p.tables[index]
}

func (v *validator) tableAccess(at int, op byte, live bool) {
	t := v.table(at).elem
	if op == opTableGet {
		v.pop(at, I32)
		v.push(slot(t))
		return
	}
	v.pop(at, t)
	v.pop(at, I32)
	if live {
		v.notImageable(at, "table.set", writesTable)
	}
}

const writesTable = "writes a table"

func (v *validator) memorySize(at int, op byte, live bool) {
	v.charge(1)
	v.memoryIndex(at)
	if op == opMemorySize {
		v.push(slot(I32))
		return
	}
	v.charge(costBulk)
	v.pop(at, I32)
	v.push(slot(I32))
	if live {
		v.note(evGrow, at, 0, false)
	}
}

func (v *validator) memoryIndex(at int) {
	if b := v.byte(); b != 0 {
		refuse(at, "zero byte expected: there is one memory")
	}
	if v.p.memory == nil {
		refuse(at, "unknown memory 0")
	}
}

// length takes the length of a bulk instruction from the stack: known when
// the instruction before was its constant, and charged here then, unless it is
// so large that the limit must be looked at before.
func (v *validator) length(at int, unit uint32) (dynamic bool) {
	known := v.constEnd == at
	v.pop(at, I32)
	if known && v.constBits/unit <= bulkKnownMax {
		v.charge(v.constBits / unit)
		return false
	}
	v.needs |= needI32
	return true
}

func (v *validator) bulk(at int, live bool) {
	sub := v.u32()
	if sub < uint32(len(convertOps)) {
		v.plain(at, &convertOps[sub])
		return
	}
	v.charge(costBulk)
	switch sub {
	case opMemoryInit:
		segment := v.dataIndex(at)
		v.memoryIndex(at)
		dynamic := v.length(at, bulkBytes)
		v.pop(at, I32)
		v.pop(at, I32)
		if live {
			v.note(evMemoryInit, at, segment, dynamic)
		}
	case opDataDrop:
		segment := v.dataIndex(at)
		if live {
			v.note(evDataDrop, at, segment, false)
		}
	case opMemoryCopy, opMemoryFill:
		v.memoryIndex(at)
		if sub == opMemoryCopy {
			v.memoryIndex(at)
		}
		dynamic := v.length(at, bulkBytes)
		v.pop(at, I32)
		v.pop(at, I32)
		if live && dynamic {
			v.note(evBytes, at, 0, false)
		}
	case opTableInit:
		v.tableInit(at, live)
	case opElemDrop:
		segment := v.elemIndex(at)
		if live {
			v.note(evElemDrop, at, segment, false)
		}
	case opTableCopy:
		to := v.table(at)
		from := v.table(at)
		if to.elem != from.elem {
			refuse(at, "type mismatch: a copy from a table of %v to one of %v", from.elem, to.elem)
		}
		dynamic := v.length(at, 1)
		v.pop(at, I32)
		v.pop(at, I32)
		v.tableWrite(at, "table.copy", live, dynamic)
	case opTableGrow:
		t := v.table(at)
		dynamic := v.length(at, 1)
		v.pop(at, t.elem)
		v.push(slot(I32))
		v.tableWrite(at, "table.grow", live, dynamic)
	case opTableSize:
		v.table(at)
		v.push(slot(I32))
	case opTableFill:
		t := v.table(at)
		dynamic := v.length(at, 1)
		v.pop(at, t.elem)
		v.pop(at, I32)
		v.tableWrite(at, "table.fill", live, dynamic)
	default:
		refuse(at, "illegal opcode 0xfc %d", sub)
	}
}

func (v *validator) tableWrite(at int, instruction string, live, dynamic bool) {
	if !live {
		return
	}
	v.notImageable(at, instruction, writesTable)
	if dynamic {
		v.note(evEntries, at, 0, false)
	}
}

func (v *validator) tableInit(at int, live bool) {
	segment := v.elemIndex(at)
	if t, s := v.table(at), &v.p.elems[segment]; t.elem != s.elem {
		refuse(at, "type mismatch: a segment of %v for a table of %v", s.elem, t.elem)
	}
	dynamic := v.length(at, 1)
	v.pop(at, I32)
	v.pop(at, I32)
	if live {
		v.notImageable(at, "table.init", writesTable)
		v.note(evTableInit, at, segment, dynamic)
	}
}

func (v *validator) dataIndex(at int) uint32 {
	index := v.u32()
	if v.p.dataCount < 0 {
		refuse(at, "data count section required")
	}
	if int64(index) >= v.p.dataCount {
		refuse(at, "unknown data segment %d", index)
	}
	return index
}

func (v *validator) elemIndex(at int) uint32 {
	index := v.u32()
	if int64(index) >= int64(len(v.p.elems)) {
		refuse(at, "unknown elem segment %d", index)
	}
	return index
}
