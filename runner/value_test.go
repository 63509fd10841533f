package runner

import (
	"slices"
	"testing"

	"carrel/machine/meter"
)

func TestValues(t *testing.T) {
	const i32, i64, f32, f64, v128, ref = meter.I32, meter.I64, meter.F32, meter.F64, meter.V128, meter.ExternRef
	for _, tt := range []struct {
		t     meter.ValType
		texts []string // the first is how it is written
		want  []uint64
	}{
		{i32, []string{"i32:5", "5", "0x5", "0b101"}, []uint64{5}},
		{i32, []string{"i32:-1", "-1", "0xffffffff", "4294967295"}, []uint64{0xffffffff}},
		{i32, []string{"i32:-2147483648", "2147483648", "-0x80000000"}, []uint64{1 << 31}},
		{i64, []string{"i64:-1", "18446744073709551615"}, []uint64{1<<64 - 1}},
		{i64, []string{"i64:4294967296"}, []uint64{1 << 32}},
		{f32, []string{"f32:0.1", "0.1", "1e-1"}, []uint64{0x3dcccccd}},
		{f32, []string{"f32:inf", "+Inf"}, []uint64{0x7f800000}},
		{f64, []string{"f64:100000000", "1e8"}, []uint64{0x4197d78400000000}},
		{f64, []string{"f64:1e-05", "0.00001"}, []uint64{0x3ee4f8b588e368f1}},
		{f64, []string{"f64:1e+21", "1e21"}, []uint64{0x444b1ae4d6e2ef50}},
		{f32, []string{"f32:nan", "NaN"}, []uint64{meter.CanonicalNaN32}},
		{f32, []string{"f32:-0", "-0.0"}, []uint64{1 << 31}},
		{f64, []string{"f64:0.1", "0x1.999999999999ap-4"}, []uint64{0x3fb999999999999a}},
		{f64, []string{"f64:nan", "nan"}, []uint64{meter.CanonicalNaN64}},
		{f64, []string{"f64:-inf", "-Infinity"}, []uint64{0xfff0000000000000}},
		{v128, []string{"v128:00000000000000070000000000000009", "0x00000000000000070000000000000009", "70000000000000009"}, []uint64{9, 7}},
		{ref, []string{"externref:null", "null"}, []uint64{0}},
	} {
		for _, text := range tt.texts {
			got, err := parseValues([]meter.ValType{tt.t}, []string{text})
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%v %q is %x, %v; want %x", tt.t, text, got, err, tt.want)
			}
		}
		if got := formatValues([]meter.ValType{tt.t}, tt.want); !slices.Equal(got, tt.texts[:1]) {
			t.Errorf("%x is written %q, want %q", tt.want, got, tt.texts[:1])
		}
	}
	if got := formatValues([]meter.ValType{ref, v128, i32}, []uint64{1, 2, 3, 4}); !slices.Equal(got, []string{"externref:set", "v128:00000000000000030000000000000002", "i32:4"}) {
		t.Errorf("several values: %q", got)
	}
}

func TestBadValues(t *testing.T) {
	for _, tt := range []struct {
		t    meter.ValType
		text string
	}{
		{meter.I32, ""}, {meter.I32, "x"}, {meter.I32, "4294967296"}, {meter.I32, "-2147483649"}, {meter.I32, "1.5"},
		{meter.I32, "i64:1"}, {meter.I64, "18446744073709551616"}, {meter.F32, "1e99"}, {meter.F64, "1e999"}, {meter.F64, "i32:1"},
		{meter.V128, "-1"}, {meter.V128, "123456789012345678901234567890123"}, {meter.FuncRef, "set"}, {meter.ExternRef, "1"},
	} {
		if got, err := parseValues([]meter.ValType{tt.t}, []string{tt.text}); err == nil {
			t.Errorf("%v %q is %x", tt.t, tt.text, got)
		}
	}
	for _, texts := range [][]string{nil, {"1"}, {"1", "2", "3"}} {
		if _, err := parseValues([]meter.ValType{meter.I32, meter.I32}, texts); err == nil {
			t.Errorf("%d arguments are taken for two", len(texts))
		}
	}
}
