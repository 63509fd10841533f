package socket_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"carrel/socket"
)

// TestListen has a second listener take the place of the first, and keep it when that
// one ends.
func TestListen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	var listeners []net.Listener
	for n := range 2 {
		if live := socket.Live(path); live != (n > 0) {
			t.Errorf("before listener %d: live %v", n, live)
		}
		l, err := socket.Listen(path)
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
	}
	if err := listeners[0].Close(); err != nil {
		t.Error(err)
	}
	if !socket.Live(path) {
		t.Error("the first one took the socket of the second with it")
	}
	if err := listeners[1].Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket is left: %v", err)
	}
}

// TestLeft has a socket that a process left be taken, and nothing that is no socket.
func TestLeft(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	left.SetUnlinkOnClose(false)
	left.Close()
	l, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := socket.Listen(path); !errors.Is(err, socket.ErrNoSocket) {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); string(b) != "mine" {
		t.Errorf("the file is %q, %v", b, err)
	}
}
