package xsnap

import (
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	const parser = 8 << 20
	for _, test := range []struct {
		args string
		want Options
	}{
		{"", Options{ParserBytes: parser}},
		{"a vat", Options{ParserBytes: parser}},
		{"v1 -l 100000000", Options{Limit: 1e8, ParserBytes: parser}},
		{"-i 5 v1", Options{ParserBytes: parser}},
		{"-s 2 -p", Options{ParserBytes: 2048, PrintMeter: true}},
		{"-s x -l x", Options{}},
		{"-l 12x -s -3", Options{Limit: 12}},
		{"-l 99999999999", Options{Limit: 1<<31 - 1, ParserBytes: parser}},
		{"-r -h", Options{Snapshot: "-h", ParserBytes: parser}},
		{"v1 -r @8:a-b -l 5", Options{Limit: 5, Snapshot: "@8:a-b", ParserBytes: parser}},
	} {
		var out strings.Builder
		got, _, done := ParseOptions(strings.Fields(test.args), &out, "an engine")
		if got != test.want || done || out.Len() > 0 {
			t.Errorf("%q: %+v, %v, %q", test.args, got, done, out.String())
		}
	}
	for args, want := range map[string]struct {
		code int
		out  string
	}{
		"-h": {0, usage}, "-v": {0, "xsnap 0.15.0 (XS none, an engine)\n"}, "-n": {0, "deprecated\n"},
		"-x": {1, usage}, "-": {1, usage}, "--help": {1, usage}, "-l": {1, usage}, "-i": {1, usage}, "-r": {1, usage}, "-s": {1, usage},
		"-l 5 -h -x": {0, usage},
	} {
		var out strings.Builder
		if _, code, done := ParseOptions(strings.Fields(args), &out, "an engine"); !done || code != want.code || out.String() != want.out {
			t.Errorf("%q: %d, %v, %q", args, code, done, out.String())
		}
	}
}

func TestLongestWord(t *testing.T) {
	for source, want := range map[string]int{
		"":                        0,
		"x = 1":                   1,
		"abc + defgh":             5,
		`"abcd" + 'a'`:            6,
		`"a\"bcd" + 1`:            8,
		"`a\nb${c}d`":             10,
		"/* a very long one */ a": 1,
		"// a very long one\nab":  2,
		"/* it's */ 'b'":          3,
		"/[\"]/\nab":              3, // a string that ends with its line
		`"never ends`:             11,
		`"\`:                      2,
		"/*":                      0,
		"größer":                  8,
	} {
		if got := longestWord([]byte(source)); got != want {
			t.Errorf("%q: %d, want %d", source, got, want)
		}
	}
}
