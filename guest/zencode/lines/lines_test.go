package lines_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"carrel/guest/zencode"
	"carrel/guest/zencode/lines"
)

// TestAppend writes the lines that nXCC's documentation has.
func TestAppend(t *testing.T) {
	i := lines.Input{Conf: "debug=0", Script: []byte("Given that I have a 'nxcc'\nThen print the string 'Hello_World'\n"), Keys: []byte("{}"), Context: []byte("\x00\xff")}
	got, err := i.Append([]byte("before "))
	const want = "before debug=0\nR2l2ZW4gdGhhdCBJIGhhdmUgYSAnbnhjYycKVGhlbiBwcmludCB0aGUgc3RyaW5nICdIZWxsb19Xb3JsZCcK\ne30=\n\n\nAP8=\n"
	if err != nil || string(got) != want {
		t.Errorf("%q, %v", got, err)
	}
	for _, conf := range []string{"debug=0\ndebug=1", "a\r"} {
		i.Conf = conf
		if got, err := i.Append(nil); err == nil || got != nil {
			t.Errorf("conf %q: %q, %v", conf, got, err)
		}
	}
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     lines.Input
	}{
		{"all", "debug=0\nYQ==\nYg==\nYw==\nZA==\nZQ==\n", lines.Input{"debug=0", []byte("a"), []byte("b"), []byte("c"), []byte("d"), []byte("e")}},
		{"CR LF", "debug=0\r\nYQ==\r\n\r\nYw==\r\n\r\nZQ==\r\n", lines.Input{Conf: "debug=0", Script: []byte("a"), Data: []byte("c"), Context: []byte("e")}},
		{"empty", "\n\n\n\n\n\n", lines.Input{}},
		{"lines lack", "\nYQ==\nYg==\n", lines.Input{Script: []byte("a"), Keys: []byte("b")}},
		{"no last end", "c\nYQ==\nYg==", lines.Input{Conf: "c", Script: []byte("a"), Keys: []byte("b")}},
		{"one more", "c\nYQ==\n\n\n\nZQ==\nwhat is this", lines.Input{Conf: "c", Script: []byte("a"), Context: []byte("e")}},
	} {
		for kind, r := range map[string]io.Reader{"at once": strings.NewReader(c.in), "bytes": iotest.OneByteReader(strings.NewReader(c.in))} {
			got, err := lines.Read(r, lines.Native)
			if err != nil || !reflect.DeepEqual(*got, c.want) {
				t.Errorf("%s, %s: %+v, %v", c.name, kind, got, err)
			}
		}
	}
}

func TestReadRefuses(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name string
		in   io.Reader
		want string
	}{
		{"nothing", strings.NewReader(""), "zencode-exec missing conf at line 1"},
		{"no script", strings.NewReader("c\n"), "zencode-exec missing script at line 2"},
		{"no base64", strings.NewReader("c\nYQ==\n\n{}\n"), "zencode-exec error: line 4 (data) is no base64: illegal base64 data at input byte 0"},
		{"no padding", strings.NewReader("c\nYQ\n"), "zencode-exec error: line 2 (script) is no base64: illegal base64 data at input byte 0"},
		{"CR inside", strings.NewReader("c\nYQ\r==\n"), "zencode-exec error: line 2 (script) is no base64: illegal base64 data at input byte 2"},
		{"broken", io.MultiReader(strings.NewReader("c\nYQ==\nYg"), iotest.ErrReader(broken)), "read the keys: broken"},
	} {
		if got, err := lines.Read(c.in, lines.Native); err == nil || err.Error() != c.want || got != nil {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

// TestSizes has lines of the largest size, and of one more.
func TestSizes(t *testing.T) {
	a := func(n int) string { return strings.Repeat("A", n) }
	for name, sizes := range map[string]lines.Sizes{"native": lines.Native, "large": lines.Large} {
		conf := sizes.Conf - len(",logfmt=json")
		for _, c := range []struct {
			in   string
			want error
		}{
			{a(conf) + "\n" + a(sizes.Script) + "\r\n" + a(sizes.Other) + "\n\n\n" + a(sizes.Other), nil},
			{a(conf+1) + "\n", lines.ErrConf},
			{"\n" + a(sizes.Script+4) + "\n", lines.ErrBounds},
			{"\nYQ==\n" + a(sizes.Other+4) + "\n", lines.ErrBounds},
			{"\nYQ==\n" + a(sizes.Other+4), lines.ErrBounds},
		} {
			if _, err := lines.Read(strings.NewReader(c.in), sizes); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s, %d bytes: %v, want %v", name, len(c.in), err, c.want)
			}
		}
	}
	if lines.TextBytesMax != zencode.TextBytesMax {
		t.Errorf("texts of %d bytes, but scripts of %d", lines.TextBytesMax, zencode.TextBytesMax)
	}
	flood := readBytes(0)
	if _, err := lines.Read(&flood, lines.Native); !errors.Is(err, lines.ErrConf) || flood > 64<<10 {
		t.Errorf("a line without end: %v after %d bytes", err, flood)
	}
}

// readBytes counts what is read of it, which is without end.
type readBytes int

func (r *readBytes) Read(b []byte) (int, error) {
	*r += readBytes(len(b))
	return copy(b, bytes.Repeat([]byte("a"), len(b))), nil
}

func TestConf(t *testing.T) {
	for _, c := range []struct {
		conf, context, want string
		lua                 bool
	}{
		{"", "lua", "logfmt=json", true},
		{"debug=0", "lua\nprint(1)", "debug=0,logfmt=json", true},
		{" ", "lua\r\nprint(1)", " ,logfmt=json", true},
		{"logfmt=text", "lua \nprint(1)", "logfmt=text,logfmt=json", false},
		{"", `{"lua":1}`, "logfmt=json", false},
		{"", "", "logfmt=json", false},
	} {
		i := lines.Input{Conf: c.conf, Context: []byte(c.context)}
		if i.WithLog() != c.want || i.LuaFirst() != c.lua {
			t.Errorf("%q, %q: %q, %v", c.conf, c.context, i.WithLog(), i.LuaFirst())
		}
	}
}

// FuzzRead reads anything: what is accepted is written and read again.
func FuzzRead(f *testing.F) {
	f.Add([]byte("debug=0\nYQ==\nYg==\nYw==\nZA==\nZQ==\n"))
	f.Add([]byte("\r\nYQ==\r\n\r\n"))
	f.Add([]byte("\r\r\n\nYQ\r=="))
	f.Fuzz(func(t *testing.T, in []byte) {
		i, err := lines.Read(bytes.NewReader(in), lines.Native)
		if err != nil {
			return
		}
		out, err := i.Append(nil)
		if err != nil {
			if !strings.Contains(i.Conf, "\r") {
				t.Fatal(err)
			}
			return
		}
		if again, err := lines.Read(bytes.NewReader(out), lines.Native); err != nil || !reflect.DeepEqual(again, i) {
			t.Errorf("%+v, %v; it was %+v", again, err, i)
		}
	})
}

// FuzzAppend writes anything and reads it again.
func FuzzAppend(f *testing.F) {
	f.Add("debug=0", []byte("a"), []byte("b"), []byte(""), []byte("\x00"), []byte("lua\n"))
	f.Fuzz(func(t *testing.T, conf string, script, keys, data, extra, context []byte) {
		orNil := func(b []byte) []byte { return append([]byte(nil), b...) }
		i := &lines.Input{conf, orNil(script), orNil(keys), orNil(data), orNil(extra), orNil(context)}
		out, err := i.Append(nil)
		if err != nil {
			if !strings.ContainsAny(conf, "\r\n") {
				t.Fatal(err)
			}
			return
		}
		if n := strings.Count(string(out), "\n"); n != 6 || base64.StdEncoding.EncodedLen(len(script)) > len(out) {
			t.Errorf("%d lines: %q", n, out)
		}
		if again, err := lines.Read(bytes.NewReader(out), lines.Large); err != nil || !reflect.DeepEqual(again, i) {
			t.Errorf("%+v, %v; it was %+v", again, err, i)
		}
	})
}
