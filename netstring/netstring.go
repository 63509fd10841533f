// Package netstring frames messages as xsnap-worker does: a length in decimal, a
// colon, the bytes and a comma.
package netstring

import (
	"bufio"
	"errors"
	"io"
	"strconv"
)

// BytesMax is what a message may have: its length is read with nine digits.
const BytesMax = 999_999_999

// An Error says what is wrong with a netstring, in the words of xsnap-worker.
type Error string

func (e Error) Error() string { return string(e) }

// What netstrings are refused for.
const (
	ErrLength    Error = "Cannot read netstring, reading length prefix, fscanf"
	ErrDelimiter Error = "Cannot read netstring, invalid delimiter or end of file, fgetc"
	ErrBuffer    Error = "Cannot read netstring, cannot allocate message buffer, malloc"
	ErrBody      Error = "Cannot read netstring, cannot read message body, fread"
	ErrTrailer   Error = "Cannot read netstring, cannot read trailer, fgetc"
)

// bodyStep is how much of a body is allocated before its bytes are there.
const bodyStep = 1 << 20

// Read reads a message. Its length may have blanks before it and a sign,
// as scanf of C has it. One of more than bytesMax bytes is refused as if there were
// no memory for it. The error is io.EOF where the input ends, be it within a
// message; an Error; or what the reader answers, wrapped in one of them.
func Read(r *bufio.Reader, bytesMax int) ([]byte, error) {
	length, err := readLength(r)
	if err != nil {
		return nil, err
	}
	if err := expect(r, ':', ErrDelimiter); err != nil {
		return nil, err
	}
	if length < 0 || length > bytesMax {
		return nil, ErrBuffer
	}
	body := make([]byte, min(length, bodyStep))
	for have := 0; ; {
		n, err := io.ReadFull(r, body[have:])
		if have += n; err != nil {
			return nil, failed(err, ErrBody)
		}
		if have == length {
			break
		}
		// What is not there is not allocated, whatever the length.
		body = append(body, make([]byte, min(length-have, have))...)
	}
	return body, expect(r, ',', ErrTrailer)
}

// failed is an error of a reader, which is an end or spoils a part of a message.
func failed(err error, part Error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return errors.Join(part, err)
}

func expect(r *bufio.Reader, want byte, otherwise Error) error {
	have, err := r.ReadByte()
	switch {
	case err != nil:
		return failed(err, otherwise)
	case have != want:
		return otherwise
	}
	return nil
}

// lengthBytesMax bounds a length and its sign.
const lengthBytesMax = 9

// readLength reads what %9lu reads. A length below zero is one that nothing can be
// allocated for.
func readLength(r *bufio.Reader) (int, error) {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return 0, failed(err, ErrLength)
		}
		if b != ' ' && (b < '\t' || b > '\r') {
			break
		}
	}
	_ = r.UnreadByte()
	var text []byte
	for len(text) < lengthBytesMax {
		b, err := r.ReadByte()
		if err != nil {
			return 0, failed(err, ErrLength)
		}
		if (b < '0' || b > '9') && (len(text) > 0 || b != '+' && b != '-') {
			_ = r.UnreadByte()
			break
		}
		text = append(text, b)
	}
	n, err := strconv.Atoi(string(text))
	if err != nil {
		return 0, ErrLength
	}
	if n == 0 {
		return 0, nil // -0 as well
	}
	return n, nil
}

// Append appends the message that parts make.
func Append(b []byte, parts ...[]byte) []byte {
	length := 0
	for _, part := range parts {
		length += len(part)
	}
	b = append(strconv.AppendInt(b, int64(length), 10), ':')
	for _, part := range parts {
		b = append(b, part...)
	}
	return append(b, ',')
}
