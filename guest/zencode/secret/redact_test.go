package secret

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	secrets := [][]byte{[]byte("0123456789abcdef"), []byte("0123456789abcdefGHIJKLMNOP"), []byte("short"), []byte("abc"), []byte("two\nlines of a secret")}
	for text, want := range map[string]string{
		"":                                      "",
		"nothing":                               "nothing",
		"a 0123456789abcdef b":                  "a * b",
		"0123456789abcdefGHIJKLMNOP":            "*",
		"cut: 0123456789ab":                     "cut: *",
		"cut: 9abcdefGHI, and 0123456":          "cut: *, and 0123456",
		"short and shorter, abc":                "* and *er, abc",
		"twice 0123456789 0123456789abcdefGH !": "twice * * !",
		"PEM: lines of a se":                    "PEM: *",
	} {
		if got := Redact([]byte(text), secrets, "*"); string(got) != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestForms has what a text holds be found in all the ways in which it may be written.
func TestForms(t *testing.T) {
	content := []byte("\x00\x01\xfe\xff some bytes of a key")
	for _, text := range []string{string(content), hex.EncodeToString(content), base64.StdEncoding.EncodeToString(content), base64.RawURLEncoding.EncodeToString(content)} {
		forms := Forms([]byte(text))
		for _, shown := range []string{hex.EncodeToString(content), strings.ToUpper(hex.EncodeToString(content)), base64.StdEncoding.EncodeToString(content), base64.RawURLEncoding.EncodeToString(content), string(content)} {
			if got := Redact([]byte("it is "+shown), forms, "*"); !strings.HasPrefix(string(got), "it is *") || len(got) > len("it is *")+2 {
				t.Errorf("%q shown as %q: %q", text, shown, got)
			}
		}
	}
}

// FuzzRedact has any text and secret: of the secret no part is left.
func FuzzRedact(f *testing.F) {
	f.Add([]byte("the key is 0123456789abcdef and more"), []byte("0123456789abcdef"))
	f.Fuzz(func(t *testing.T, text, key []byte) {
		out := Redact(text, [][]byte{key}, "")
		for n := range max(0, len(key)-partBytes+1) {
			part := key[n : n+partBytes]
			if bytes.Contains(text, part) && len(out) >= len(text) {
				t.Errorf("%q with %q: %q", text, key, out)
			}
		}
	})
}
