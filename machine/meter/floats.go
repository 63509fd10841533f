package meter

import (
	"cmp"
	"slices"
)

// resolve decides which locals may hold a NaN made by arithmetic, and drops the
// events of floats whose bits are fixed.
func (v *validator) resolve() {
	v.spread()
	for i := range v.events {
		e := &v.events[i]
		if e.kind != evCanon32 && e.kind != evCanon64 {
			continue
		}
		copysign, temporary := evCopysign64, needF64
		if e.kind == evCanon32 {
			copysign, temporary = evCopysign32, needF32
		}
		switch local, ok := slot(e.arg).local(); {
		case !ok || v.madeLocals[local]:
			v.needs |= temporary
		case e.flag:
			v.needs |= temporary
			e.kind = copysign
		default:
			e.kind = evNone
		}
	}
}

// spread follows the flows from locals that hold what arithmetic made.
func (v *validator) spread() {
	if len(v.flows) == 0 {
		return
	}
	slices.SortFunc(v.flows, func(a, b [2]uint32) int { return cmp.Compare(a[0], b[0]) })
	var todo []uint32
	for index, is := range v.madeLocals {
		if is {
			todo = append(todo, uint32(index))
		}
	}
	for len(todo) > 0 {
		from := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		i, _ := slices.BinarySearchFunc(v.flows, from, func(flow [2]uint32, from uint32) int { return cmp.Compare(flow[0], from) })
		for ; i < len(v.flows) && v.flows[i][0] == from; i++ {
			if to := v.flows[i][1]; !v.madeLocals[to] {
				v.madeLocals[to] = true
				todo = append(todo, to)
			}
		}
	}
}

func (v *validator) lanes(at int, kind eventKind, constant need, live bool) {
	if live {
		v.needs |= constant
		v.note(kind, at, 0, false)
	}
}

// join is where the bits of one of two floats come from.
func join(a, b slot) slot {
	pa, pb := a.provenance(), b.provenance()
	switch {
	case pa == pb || pb == fixed:
		return pa
	case pa == fixed:
		return pb
	}
	return made
}

// canon notes that the float on top, if arithmetic may have made it, must be
// canonical before the instruction just read; sign says that this is copysign.
func (v *validator) canon(at int, s slot, sign bool) {
	kind, copysign, temporary := evCanon64, evCopysign64, needF64
	switch s.valType() {
	case F32:
		kind, copysign, temporary = evCanon32, evCopysign32, needF32
	case F64:
	default:
		return
	}
	if s.provenance() != fixed {
		v.note(kind, at, uint32(s), sign)
	} else if sign {
		v.needs |= temporary
		v.note(copysign, at, 0, false)
	}
}
