package main

import (
	"strings"
	"testing"
)

func TestPlain(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		"proc_exit":          "proc_exit",
		"größer 日本":          "größer 日本",
		"\x1b[31mred":        `\x1b[31mred`,
		"two\nlines\ttab":    `two\nlines\ttab`,
		"\u202eturned\u009b": `\u202eturned\u009b`,
		"a\xffb":             "a\ufffdb",
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
	if got, want := plainLines("a\x07\n\tb\n"), "a\\a\n    b\n"; got != want {
		t.Errorf("plainLines gives %q, want %q", got, want)
	}
}

func TestBrief(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "nothing",
		"dir":                     "dir",
		strings.Repeat("x", 1000): strings.Repeat("x", briefCharsMax) + "… (-o json has all of it)",
	} {
		if got := brief(in); got != want {
			t.Errorf("brief(%.20q…) = %q, want %q", in, got, want)
		}
	}
}
