package main

import "golang.org/x/sys/unix"

// pipeBytes is what a pipe or a socket is to hold, so that a snapshot takes few
// turns of writer and reader.
const pipeBytes = 1 << 20

// widen makes the buffer behind a descriptor larger, where there is one.
func widen(number int) {
	if _, err := unix.FcntlInt(uintptr(number), unix.F_SETPIPE_SZ, pipeBytes); err != nil {
		_ = unix.SetsockoptInt(number, unix.SOL_SOCKET, unix.SO_SNDBUF, pipeBytes)
	}
}
