package toolchain

import (
	"bytes"
	"testing"

	"carrel/tree"
)

func TestInRoot(t *testing.T) {
	for arg, want := range map[string]string{
		"/a/b.c": "/.root/a/b.c", "a/b.c": "a/b.c", "../b.c": "../b.c", "-": "-", "-c": "-c", "": "",
		"-I/inc": "-I/.root/inc", "-Iinc": "-Iinc", "-L/lib": "-L/.root/lib", "-o/x": "-o/.root/x", "-lm": "-lm",
		"-isystem=/inc": "-isystem=/.root/inc", "--output-file=/x": "--output-file=/.root/x",
		"-Wl,-Map,/x.map": "-Wl,-Map,/.root/x.map", "-Wl,--export=f": "-Wl,--export=f", "-MF/x.d": "-MF/.root/x.d",
		`-DDIR="/usr/lib"`: `-DDIR="/usr/lib"`, "-DDIR=/usr": "-DDIR=/usr", "-ffile-prefix-map=/a=/b": "-ffile-prefix-map=/.root/a=/b",
		"-ffile-compilation-dir=/a": "-ffile-compilation-dir=/a", "-fdebug-prefix-map=/a=.": "-fdebug-prefix-map=/.root/a=.",
		"-Wl,-Map=/x.map": "-Wl,-Map=/.root/x.map", "-Map=/x": "-Map=/.root/x", "-Wl,/a.o,/b.o,-Map,/dev/null": "-Wl,/.root/a.o,/.root/b.o,-Map,/.carrel/tmp/null",
		"-Wp,-MD,/x.d": "-Wp,-MD,/.root/x.d", "-Wp,-DX=/a,": "-Wp,-DX=/a,", "-Wall": "-Wall", "-Wa,-I/inc": "-Wa,-I/.root/inc",
		"--add-section=s=/x": "--add-section=s=/.root/x", "--add-section=s=x": "--add-section=s=x",
		"--sysroot=/.carrel/usr": "--sysroot=/.carrel/usr", "/.carrel/tmp/x.o": "/.carrel/tmp/x.o", "-std=c99": "-std=c99",
		"/dev/null": "/.carrel/tmp/null", "-o/dev/null": "-o/.carrel/tmp/null", "--output=/dev/stdout": "--output=-",
		"/dev/stdin": "-", "/dev/stdout": "-", "/dev/stdout.o": "/.root/dev/stdout.o", "-I/.carrel/usr/include": "-I/.carrel/usr/include",
	} {
		if got := inRoot(arg); got != want {
			t.Errorf("%s is %s, want %s", arg, got, want)
		}
	}
}

func TestPlainWriter(t *testing.T) {
	const text = "/.root/a:1: error /.roo and /.root/b /.root/ /.ro\x00/.root/ and\x00/.root/c /.ro"
	const want = "/a:1: error /.roo and /b / /.ro\x00/.root/ and\x00/.root/c /.ro"
	for size := 1; size <= len(text); size++ {
		var out bytes.Buffer
		w := &plainWriter{to: &out}
		for rest := []byte(text); len(rest) > 0; {
			n := min(size, len(rest))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Flush(); err != nil || out.String() != want {
			t.Errorf("in pieces of %d: %q, %v", size, out.String(), err)
		}
	}
}

func TestMended(t *testing.T) {
	const list = "/x.o: x.c /.carrel/support/include/stdio.h \\\n  /.carrel/usr/include/stdio.h \\\n  /.carrel/usr/include/a.h h.h \\\n" +
		"  /.root/inc/.carrel/b.h /.root/.carrel-not/c.h\n/.carrel/usr/include/a.h:\nh.h:\n/.root/inc/.carrel/b.h:\n"
	const want = "/x.o: x.c h.h \\\n  /inc/.carrel/b.h /.carrel-not/c.h\nh.h:\n/inc/.carrel/b.h:\n"
	got := mended([]tree.Change{
		{Path: "x.d", Data: []byte(list)},
		{Path: "x.i", Data: []byte("/.root/a /.carrel/b")},
		{Path: "x.o", Data: []byte("\x00/.root/a")},
	}, "x.d")
	for i, want := range []string{want, "/a /.carrel/b", "\x00/.root/a"} {
		if string(got[i].Data) != want {
			t.Errorf("%s is %q, want %q", got[i].Path, got[i].Data, want)
		}
	}
	for list, want := range map[string]string{
		"x.o: \\\n  /.carrel/usr/include/a.h\n": "x.o:\n", "x.o: a\\ b/x.c\n": "x.o: a\\ b/x.c\n", "": "",
	} {
		if got := string(dependencies([]byte(list))); got != want {
			t.Errorf("%q is %q, want %q", list, got, want)
		}
	}
}
