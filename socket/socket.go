// Package socket listens on Unix sockets in the file system.
package socket

import (
	"errors"
	"io/fs"
	"net"
	"os"
)

// ErrNoSocket reports a path where something else is.
var ErrNoSocket = errors.New("it is there and no socket: it is not removed")

// Live reports whether somebody listens at a path.
func Live(path string) bool {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// Listen listens at a path, in the place of a socket that is there: see Live. Closing
// removes it, unless another is there by then. Errors: ErrNoSocket, in an fs.PathError.
func Listen(path string) (net.Listener, error) {
	info, err := os.Lstat(path)
	switch {
	case err == nil && info.Mode().Type() != fs.ModeSocket:
		return nil, &fs.PathError{Op: "listen", Path: path, Err: ErrNoSocket}
	case err == nil:
		err = os.Remove(path)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	made, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &listener{l, path, made}, nil
}

type listener struct {
	net.Listener
	path string
	made fs.FileInfo
}

func (l *listener) Close() error {
	err := l.Listener.Close()
	if now, absent := os.Lstat(l.path); absent == nil && os.SameFile(now, l.made) {
		err = errors.Join(err, os.Remove(l.path))
	}
	return err
}
