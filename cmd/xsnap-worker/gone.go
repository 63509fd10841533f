package main

import "golang.org/x/sys/unix"

// gone is closed when nobody is left to read what is written to a pipe or socket.
func gone(number int) <-chan struct{} {
	closed := make(chan struct{})
	go func() {
		fds := []unix.PollFd{{Fd: int32(number)}}
		for {
			if _, err := unix.Poll(fds, -1); err != unix.EINTR {
				break
			}
		}
		if fds[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0 {
			close(closed)
		}
	}()
	return closed
}
