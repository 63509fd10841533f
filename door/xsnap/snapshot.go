package xsnap

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"syscall"

	"carrel/machine/image"
)

// snapshotBytes is how much of a snapshot is written at once.
const snapshotBytes = 512 << 10

// snapshot writes the heap to a file or a descriptor. The worker goes on as if
// nothing had been.
func (s *server) snapshot(name string) error {
	if err := s.verified(); err != nil {
		return err
	}
	file, err := s.host.Create(name)
	if err != nil {
		return s.unwritten(name, err)
	}
	img, err := s.worker.Snapshot()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	count := &counter{to: file}
	out := bufio.NewWriterSize(count, snapshotBytes)
	err = errors.Join(image.Store(out, img, s.label), out.Flush())
	if err := errors.Join(err, file.Close()); err != nil {
		return s.unwritten(name, err)
	}
	return s.okay(0, strconv.AppendInt(nil, count.bytes, 10))
}

func (s *server) unwritten(name string, err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return broken(err, "")
	}
	return &exit{ExitIO, fmt.Sprintf("cannot write snapshot %s: %s", name, strerror(err))}
}

// A counter counts what is written.
type counter struct {
	to    io.Writer
	bytes int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.to.Write(b)
	c.bytes += int64(n)
	return n, err
}

// readSnapshot reads what snapshot wrote; it is not verified. Nobody closes the
// stream behind a descriptor.
func readSnapshot(r io.Reader, name string) (*image.Image, *image.Label, error) {
	if strings.HasPrefix(name, "@") {
		return image.ReadOpen(r, image.Limits{})
	}
	return image.ReadUnverified(r, image.Limits{})
}
