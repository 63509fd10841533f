package toolchain

import (
	"bytes"
	"testing"
)

func TestInRoot(t *testing.T) {
	for arg, want := range map[string]string{
		"/a/b.c": "/.root/a/b.c", "a/b.c": "a/b.c", "../b.c": "../b.c", "-": "-", "-c": "-c", "": "",
		"-I/inc": "-I/.root/inc", "-Iinc": "-Iinc", "-L/lib": "-L/.root/lib", "-o/x": "-o/.root/x", "-lm": "-lm",
		"-isystem=/inc": "-isystem=/.root/inc", "--output-file=/x": "--output-file=/.root/x",
		"-Wl,-Map,/x.map": "-Wl,-Map,/.root/x.map", "-Wl,--export=f": "-Wl,--export=f", "-MF/x.d": "-MF/.root/x.d",
		`-DDIR="/usr/lib"`: `-DDIR="/usr/lib"`, "-DDIR=/usr": "-DDIR=/usr", "-ffile-prefix-map=/a=/b": "-ffile-prefix-map=/a=/b",
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
	const text = "/.root/a:1: error /.roo and /.root/b /.root/"
	const want = "/a:1: error /.roo and /b /"
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
