package main

import "testing"

func TestCMakeString(t *testing.T) {
	for s, want := range map[string]string{
		"":          "[[]]",
		"/a b/'$;#": "[[/a b/'$;#]]",
		"/a]":       "[=[/a]]=]",
		"/a]]b":     "[=[/a]]b]=]",
		"/a]]b]=]c": "[==[/a]]b]=]c]==]",
	} {
		if got := cmakeString(s); got != want {
			t.Errorf("%q is %s, want %s", s, got, want)
		}
	}
}
