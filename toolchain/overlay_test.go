package toolchain

import (
	"strings"
	"testing"
)

func TestOverlay(t *testing.T) {
	for _, tt := range []struct{ dir, args, want string }{
		{"/", "clang x.c", `[]`},
		{"/home", "clang -I/.root/src/inc -I. /.root/src/x.c /.root/x.c -DX=/a/b",
			`[{"type":"directory-remap","name":"/home","external-contents":"/.root/home"},` +
				`{"type":"directory-remap","name":"/src","external-contents":"/.root/src"}]`},
		{"/home/me", "clang /.root/home/it/x.c",
			`[{"type":"directory-remap","name":"/home","external-contents":"/.root/home"}]`},
		{"/", "clang /.root//a\"b/x.c /.root/../x/y.c /.root/\xff/x.c /.root//",
			`[{"type":"directory-remap","name":"/a\"b","external-contents":"/.root/a\"b"}]`},
	} {
		want := `{"case-sensitive":"true","roots":` + tt.want + `,"version":0}`
		if got := string(overlay(tt.dir, strings.Fields(tt.args))); got != want {
			t.Errorf("in %s, %s: %s, want %s", tt.dir, tt.args, got, want)
		}
	}
}
