package seal

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestCanonicalJSON(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"white space", " { \"b\" : [ 1 , 2 ] ,\n\t\"a\" : null } ", `{"a":null,"b":[1,2]}`},
		{"empty", `{"a":{},"b":[]}`, `{"a":{},"b":[]}`},
		{"literals", `[true,false,null]`, `[true,false,null]`},
		{"escapes", `"\u0000\u001f\b\t\n\f\r\"\\\/\u0041\u007f"`, "\"\\u0000\\u001f\\b\\t\\n\\f\\r\\\"\\\\/A\x7f\""},
		{"no HTML escapes", `"<a href='&'>\u003c"`, `"<a href='&'><"`},
		{"line separators", `"\u2028\u2029"`, "\"\u2028\u2029\""},
		{"surrogate pair", `"\ud83d\ude00"`, `"😀"`},
		// The example of RFC 8785, section 3.2.3.
		{"order by UTF-16", `{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}`,
			"{\"\\r\":2,\"1\":4,\"\u0080\":6,\"ö\":7,\"€\":1,\"😀\":5,\"\ufb33\":3}"},
		{"safe integers", `[9007199254740991,-9007199254740991,0]`, `[9007199254740991,-9007199254740991,0]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := CanonicalJSON([]byte(c.text))
			if err != nil || string(got) != c.want {
				t.Fatalf("got %s, %v; want %s", got, err, c.want)
			}
			again, err := CanonicalJSON(got)
			if err != nil || !bytes.Equal(again, got) {
				t.Fatalf("again: %s, %v", again, err)
			}
		})
	}
}

func TestCanonicalJSONRefuses(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	if _, err := CanonicalJSON([]byte(nested(JSONDepthMax))); err != nil {
		t.Errorf("at the limit of depth: %v", err)
	}
	for _, c := range []struct{ name, text, wrong string }{
		{"nothing", "", "unexpected EOF"},
		{"half", `{"a":`, "unexpected EOF"},
		{"two values", `1 2`, "something follows"},
		{"rubbish after", `{} x`, "something follows"},
		{"duplicate member", `{"a":1,"a":1}`, `member "a" occurs twice`},
		{"duplicate by escape", `{"a":1,"\u0061":1}`, `member "a" occurs twice`},
		{"fraction", `1.5`, "not an integer"},
		{"exponent", `1e3`, "not an integer"},
		{"minus zero", `-0`, "not an integer"},
		{"too large", `9007199254740992`, "not an integer"},
		{"too small", `-9007199254740992`, "not an integer"},
		{"very large", strings.Repeat("9", 4000), "not an integer"},
		{"bad UTF-8", "\"\xff\"", "not UTF-8"},
		{"deep", nested(JSONDepthMax + 1), "nested deeper than 32"},
		{"very deep", strings.Repeat(`{"a":`, 1<<20), "nested deeper than 32"},
		{"trailing comma", `[1,]`, "invalid character"},
		{"leading zero", `01`, "something follows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := CanonicalJSON([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("got %.80s, %v; want an error with %q", got, err, c.wrong)
			}
		})
	}
}

func TestCheckValues(t *testing.T) {
	for _, c := range []struct {
		text   string
		values int
	}{
		{`1`, 1}, {`[1,2,3]`, 4}, {`{"a":1,"b":[2]}`, 4}, {`"a,b{[,"`, 1}, {`["\",",1]`, 3}, {`"\\",1`, 2}, {``, 1},
	} {
		if CheckValues([]byte(c.text), c.values) != nil || CheckValues([]byte(c.text), c.values-1) == nil {
			t.Errorf("%s: not %d values", c.text, c.values)
		}
	}
	if _, err := CanonicalJSON([]byte("[" + strings.Repeat("0,", JSONValuesMax) + "0]")); err == nil || !strings.Contains(err.Error(), "more than 4194304 values") {
		t.Errorf("got %v", err)
	}
}

func FuzzCanonicalJSON(f *testing.F) {
	for _, seed := range []string{`{"b":[1,"\u00e9"],"a":null}`, `[[[]]]`, `"\ud800"`, `-1`, `{"a":1,"a":2}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		canonical, err := CanonicalJSON(text)
		if err != nil {
			return
		}
		again, err := CanonicalJSON(canonical)
		if err != nil || !bytes.Equal(again, canonical) {
			t.Fatalf("%q became %q became %q, %v", text, canonical, again, err)
		}
		var before, after any
		if err := json.Unmarshal(text, &before); err != nil {
			t.Fatalf("%q is no JSON for others: %v", text, err)
		}
		if err := json.Unmarshal(canonical, &after); err != nil || !reflect.DeepEqual(before, after) {
			t.Fatalf("%q became %q: %v", text, canonical, err)
		}
	})
}
