package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestCloseOnExec: what a shell handed in, as configure does, is not for the
// background process.
func TestCloseOnExec(t *testing.T) {
	var pipe [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	if err := closeOnExec(); err != nil {
		t.Fatal(err)
	}
	for _, fd := range append(pipe[:], 1) {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil {
			t.Fatal(err)
		}
		if closes := flags&unix.FD_CLOEXEC != 0; closes != (fd > 2) {
			t.Errorf("descriptor %d is closed: %v", fd, closes)
		}
	}
}

func TestFindBackground(t *testing.T) {
	t.Setenv("CARREL_HOME", t.TempDir())
	short, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(short)
	for _, tt := range []struct {
		run, asked string
		there      bool
		err        string
	}{
		{short, "", true, ""},
		{short, "5m", true, ""},
		{short, "off", false, ""},
		{short, "soon", false, `CARREL_BACKGROUND: "soon" is neither off nor a time`},
		{short, "-1s", false, "neither off nor a time"},
		{filepath.Join(short, strings.Repeat("long", 25)), "", false, ""}, // no socket has such a name
	} {
		if err := os.MkdirAll(tt.run, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("XDG_RUNTIME_DIR", tt.run)
		t.Setenv(backgroundVariable, tt.asked)
		b, err := findBackground("auto")
		if (b != nil) != tt.there || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s in %s: %v, %v", tt.asked, tt.run, b, err)
		}
		if b != nil && filepath.Dir(b.socket) != filepath.Join(tt.run, "carrel") {
			t.Errorf("the socket is %s", b.socket)
		}
	}
}
