package posix

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
)

// A stream is one of the standard streams, with a digest of what passed.
type stream struct {
	name   string
	reader io.Reader
	writer io.Writer
	lines  bool   // a read ends after a newline
	ahead  []byte // read from reader, not yet by the program; with lines only
	end    bool   // reader came to its end
	sum    hash.Hash
	count  uint64
}

const aheadBytes = 4096 // of a stream read by lines

// passed notes bytes that the program read or wrote.
func (t *stream) passed(b []byte) {
	if len(b) == 0 {
		return
	}
	if t.sum == nil {
		t.sum = sha256.New()
	}
	t.sum.Write(b)
	t.count += uint64(len(b))
}

func (t *stream) result() Stream {
	if t.sum == nil {
		return Stream{Digest: digestEmpty}
	}
	return Stream{Bytes: t.count, Digest: digestText(t.sum.Sum(nil))}
}

// write passes bytes on; an error is a failure of the host.
func (t *stream) write(b []byte) error {
	t.passed(b)
	if t.writer == nil {
		return nil
	}
	if _, err := t.writer.Write(b); err != nil {
		return fmt.Errorf("write %s: %w", t.name, err)
	}
	return nil
}

// read fills b, up to the end of input or, by lines, the end of a line. more
// reports that b is full and a next buffer may be filled too.
func (t *stream) read(b []byte) (n int, more bool, err error) {
	if t.lines {
		n, more, err = t.readLine(b)
	} else {
		n, more, err = t.readFull(b)
	}
	t.passed(b[:n])
	if err != nil {
		err = fmt.Errorf("read %s: %w", t.name, err)
	}
	return n, more, err
}

func (t *stream) readFull(b []byte) (n int, more bool, err error) {
	if t.end || t.reader == nil {
		t.end = true
		return 0, false, nil
	}
	n, err = io.ReadFull(t.reader, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.end = true
		return n, false, nil
	}
	return n, true, err
}

func (t *stream) readLine(b []byte) (n int, more bool, err error) {
	for n < len(b) {
		if len(t.ahead) == 0 {
			if err := t.fill(); err != nil || t.end {
				return n, false, err
			}
			continue
		}
		part := t.ahead[:min(len(t.ahead), len(b)-n)]
		newline := bytes.IndexByte(part, '\n')
		if newline >= 0 {
			part = part[:newline+1]
		}
		n += copy(b[n:], part)
		t.ahead = t.ahead[len(part):]
		if newline >= 0 {
			return n, false, nil
		}
	}
	return n, true, nil
}

func (t *stream) fill() error {
	if t.end || t.reader == nil {
		t.end = true
		return nil
	}
	buffer := make([]byte, aheadBytes)
	n, err := t.reader.Read(buffer)
	t.ahead = buffer[:n]
	if errors.Is(err, io.EOF) {
		t.end = n == 0
		return nil
	}
	return err
}

// digestEmpty is the digest of no bytes.
var digestEmpty = digestOf(nil)

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return digestText(sum[:])
}

func digestText(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }
