package receipt

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Result)
		want   []Difference
	}{
		{"the same", func(*Result) {}, nil},
		{"fuel", func(r *Result) { r.Fuel++ }, []Difference{{"fuel", "9007199254740993", "9007199254740994"}}},
		{"class and code, in order", func(r *Result) { r.Code, r.Class = 3, "depth" },
			[]Difference{{"class", "exit", "depth"}, {"code", "0", "3"}}},
		{"stdout", func(r *Result) { r.Stdout = NewBlob(nil) },
			[]Difference{{"stdout", blob("stdout").String(), NewBlob(nil).String()}}},
		{"a file not written", func(r *Result) { r.Writes[0].Changes = slices.Delete(r.Writes[0].Changes, 2, 3) },
			[]Difference{{"write /data out", "absent to file " + blob("out").String(), ""}}},
		{"a file too many", func(r *Result) {
			r.Writes[0].Changes = append(r.Writes[0].Changes, Change{Path: "x", Was: KindAbsent, Kind: KindLink, Target: "y"})
		}, []Difference{{"write /data x", "", `absent to link at "y"`}}},
		{"nothing written", func(r *Result) { r.Writes = nil }, []Difference{
			{"write /data", "directory", ""},
			{"write /data dev", "other to absent", ""},
			{"write /data link", `link to link at "out"`, ""},
			{"write /data out", "absent to file " + blob("out").String(), ""},
			{"write /data sub2", "absent to dir", ""},
			{"write /tar", blob("outtar").String(), ""},
			{"write /new", blob("outtar").String(), ""},
			{"write two.txt", "directory", ""},
			{"write two.txt .", "file to file " + blob("out").String(), ""},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := sample()
			c.change(&got.Result)
			if diff := cmp.Diff(c.want, Compare(&sample().Result, &got.Result)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEveryFieldCounts changes every field of a receipt, one at a time: a
// change of input or result must be a difference, and every change must show
// in the encoded form.
func TestEveryFieldCounts(t *testing.T) {
	leaves := func(r *Receipt) []leaf { return collect("receipt", reflect.ValueOf(r).Elem()) }
	total := len(leaves(everything()))
	if total < 100 {
		t.Fatalf("only %d fields", total)
	}
	before := encodeUnchecked(t, everything())
	for n := range total {
		r := everything()
		changed := leaves(r)[n]
		changed.change()
		differences := len(Compare(&everything().Result, &r.Result)) + len(CompareInput(&everything().Input, &r.Input))
		remark := len(changed.path) > 15 && changed.path[:15] == "receipt.Remarks"
		if (differences == 0) != remark {
			t.Errorf("%s: %d differences", changed.path, differences)
		}
		if encodeUnchecked(t, r) == before {
			t.Errorf("%s is not encoded", changed.path)
		}
	}
}

// everything is a receipt with all fields.
func everything() *Receipt {
	r := sample()
	r.Input.Secrets = confidential().Input.Secrets
	return r
}

func encodeUnchecked(t *testing.T, r *Receipt) string {
	text, err := encode(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A leaf is a value within a receipt that can be changed.
type leaf struct {
	path   string
	change func()
}

func collect(path string, v reflect.Value) []leaf {
	switch v.Kind() {
	case reflect.Struct:
		var list []leaf
		for n := range v.NumField() {
			list = append(list, collect(path+"."+v.Type().Field(n).Name, v.Field(n))...)
		}
		return list
	case reflect.Slice:
		list := []leaf{{path + " shorter", func() { v.SetLen(max(0, v.Len()-1)) }}}
		if v.Len() == 0 {
			list = []leaf{{path + " longer", func() { v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem()))) }}}
		}
		for n := range v.Len() {
			list = append(list, collect(fmt.Sprintf("%s[%d]", path, n), v.Index(n))...)
		}
		return list
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return append(collect(path, v.Elem()), leaf{path + " nil", func() { v.SetZero() }})
	case reflect.Array: // a digest
		return []leaf{{path, func() { v.Index(0).SetUint(v.Index(0).Uint() ^ 1) }}}
	case reflect.String:
		return []leaf{{path, func() { v.SetString(v.String() + "x") }}}
	case reflect.Bool:
		return []leaf{{path, func() { v.SetBool(!v.Bool()) }}}
	case reflect.Uint32, reflect.Uint64:
		return []leaf{{path, func() { v.SetUint(v.Uint() ^ 1) }}}
	}
	panic("a receipt with a " + v.Type().String())
}
