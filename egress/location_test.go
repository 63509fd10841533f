package egress

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// hrefs are URLs and what the URL standard makes of them, without user name, password
// and fragment; null for those that it refuses. Written from the standard, and held
// against node's.
func hrefs(t testing.TB) (list [][2]*string) {
	text, err := os.ReadFile("testdata/whatwg.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestParse(t *testing.T) {
	for _, pair := range hrefs(t) {
		text, want := *pair[0], "refused"
		if pair[1] != nil {
			want = *pair[1]
		}
		if got := href(text); got != want {
			t.Errorf("%q is read as %s, want %s", text, got, want)
		}
	}
}

func href(text string) string {
	l, err := parse(text)
	if err != nil {
		return "refused"
	}
	return (&Target{location: l}).URL()
}

// TestParseStricter has what we refuse or change though the standard does not.
func TestParseStricter(t *testing.T) {
	for text, want := range map[string]string{
		// The library takes these for 1.2.2.252, 1.2.3.4, 255.255.255.255, and so on.
		"http://1.2.3.-4/":                  "refused",
		"http://1.2.3.+4/":                  "refused",
		"http://0x-1/":                      "refused",
		"http://0-1/":                       "refused",
		"http://-1/":                        "refused",
		"http://-1.-1/":                     "refused",
		"http://1.2.3.%2D4/":                "refused",
		"http://1.2.3.\uff0b4/":             "refused",                 // full-width plus
		"http://1.2.3.\u207a4/":             "refused",                 // superscript plus
		"http://1.2.3.\ufe634/":             "refused",                 // small hyphen-minus
		"http://1.2.3.\u207b4/":             "http://1.2.3.xn--4-dbo/", // a minus, but not the one of ASCII
		"http://xn--.example/":              "refused",
		"http://a.XN--\u3002example/":       "refused",
		"http://xn--zz\u00e9zz--.example/":  "refused",
		"http://a&\u00e9.example/":          "refused", // not a name of the DNS
		"http://\u0660.com/":                "refused", // right to left
		"http://a/x|y^z":                    "http://a/x%7Cy%5Ez",
		"http://a/%zz%4":                    "http://a/%25zz%254",
		"http://a/%":                        "http://a/%25",
		"http://a/" + long(URLBytesMax-9):   "http://a/" + long(URLBytesMax-9),
		"http://a/" + long(URLBytesMax-9+1): "refused",
	} {
		if got := href(text); got != want {
			t.Errorf("%.80q is read as %.80s, want %.80s", text, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }

func TestLogin(t *testing.T) {
	for text, want := range map[string]string{
		"http://a/":                  "",
		"http://@a/":                 "",
		"http://:@a/":                "",
		"http://user@a/":             "Basic dXNlcjo=",
		"http://user:pass@a/":        "Basic dXNlcjpwYXNz",
		"http://us%3Aer:p%40ss:x@a/": "Basic dXM6ZXI6cEBzczp4",
		"http://us@er:p@ss@a/":       "Basic dXNAZXI6cEBzcw==",
		"http://:pass@a/":            "Basic OnBhc3M=",
	} {
		l, err := parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if l.login != want {
			t.Errorf("%s logs in with %q, want %q", text, l.login, want)
		}
		if url := (&Target{location: l}).URL(); url != "http://a/" {
			t.Errorf("%s is shown as %s", text, url)
		}
	}
	if _, err := parse("http://user:100%@a/"); err == nil || strings.Contains(err.Error(), "100") {
		t.Errorf("a stray %% in a password gives %v", err)
	}
}
