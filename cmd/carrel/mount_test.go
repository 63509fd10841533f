package main

import "testing"

func TestParseMount(t *testing.T) {
	for _, c := range []struct {
		in    string
		parse func(string) (mount, error)
		want  mount // zero if it must fail
	}{
		{".", parseDir, mount{".", "/", readOnly}},
		{"data", parseDir, mount{"data", "/data", readOnly}},
		{"./a/b/", parseDir, mount{"./a/b/", "/a/b", readOnly}},
		{"/srv/data", parseDir, mount{"/srv/data", "/srv/data", readOnly}},
		{"data:/in", parseDir, mount{"data", "/in", readOnly}},
		{"data:/in:rw", parseDir, mount{"data", "/in", readWrite}},
		{"data:/in:ro", parseDir, mount{"data", "/in", readOnly}},
		{"data:rw", parseDir, mount{"data", "/data", readWrite}},
		{"../x:/x", parseDir, mount{"../x", "/x", readOnly}},
		{"a:b:/in", parseDir, mount{"a:b", "/in", readOnly}},
		{"data:/in/../..", parseDir, mount{"data", "/", readOnly}},
		{"../x", parseDir, mount{}},
		{"data:in", parseDir, mount{}},
		{"data:/in:wo", parseDir, mount{}},
		{":/in", parseDir, mount{}},
		{"", parseDir, mount{}},
		{"x.tar:/in:wo", parseTar, mount{"x.tar", "/in", writeOnly}},
		{"x.tar:/in:ro", parseTar, mount{"x.tar", "/in", readOnly}},
		{"d/x.tar", parseTar, mount{"d/x.tar", "/", readOnly}},
		{"x.tar:rw", parseTar, mount{"x.tar", "/", readWrite}},
		{"x.tar:wo", parseTar, mount{"x.tar", "/", writeOnly}},
	} {
		got, err := c.parse(c.in)
		if got != c.want || (err != nil) != (c.want == mount{}) {
			t.Errorf("%q = %v, %v; want %v", c.in, got, err, c.want)
		}
	}
}
