// Package lines reads and writes what zencode-exec and lua-exec take on their standard
// input: six lines, of which the first is the conf in plain text, and the others are
// script, keys, data, extra and context in base64.
package lines

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

// An Input is what the lines hold.
type Input struct {
	Conf                               string
	Script, Keys, Data, Extra, Context []byte // absent if empty
}

// Sizes bound lines, in characters without their ends.
type Sizes struct {
	Conf   int // with logFormat after it
	Script int
	Other  int // keys, data, extra, context
}

const (
	// ConfBytesMax bounds a conf, which the programs add logFormat to.
	ConfBytesMax = 64 << 10
	// TextBytesMax bounds a script, and each of its inputs.
	TextBytesMax = 16 << 20
)

var (
	// Native is what the programs of Zenroom's releases take.
	Native = Sizes{Conf: 512, Script: 16_384, Other: 2_048_000}
	// Large is more in all: texts of TextBytesMax.
	Large = Sizes{Conf: ConfBytesMax, Script: base64.StdEncoding.EncodedLen(TextBytesMax), Other: base64.StdEncoding.EncodedLen(TextBytesMax)}
)

// logFormat is what the programs add to every conf.
const logFormat = "logfmt=json"

// What lines are refused for, in the words of the programs.
var (
	ErrBounds   = errors.New("zencode-exec error: base64 input line out of bounds.")
	ErrConf     = errors.New("zencode-exec error: conf string out of bounds.")
	ErrNoConf   = errors.New("zencode-exec missing conf at line 1")
	ErrNoScript = errors.New("zencode-exec missing script at line 2")
)

// An Error is of a line that is no base64.
type Error struct {
	Line int // from 1
	Name string
	Err  error
}

func (e *Error) Error() string {
	return fmt.Sprintf("zencode-exec error: line %d (%s) is no base64: %v", e.Line, e.Name, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// A text is a line after the first.
type text struct {
	name string
	in   *[]byte
}

func (i *Input) texts() [5]text {
	return [...]text{{"script", &i.Script}, {"keys", &i.Keys}, {"data", &i.Data}, {"extra", &i.Extra}, {"context", &i.Context}}
}

// Append appends the six lines. A conf that would be more than a line is refused.
func (i *Input) Append(b []byte) ([]byte, error) {
	if at := strings.IndexAny(i.Conf, "\r\n"); at >= 0 {
		return nil, fmt.Errorf("conf has the end of a line in it, at byte %d", at)
	}
	size := len(i.Conf) + 1
	for _, t := range i.texts() {
		size += base64.StdEncoding.EncodedLen(len(*t.in)) + 1
	}
	if free := cap(b) - len(b); free < size {
		b = append(make([]byte, 0, len(b)+size), b...)
	}
	b = append(append(b, i.Conf...), '\n')
	for _, t := range i.texts() {
		b = append(base64.StdEncoding.AppendEncode(b, *t.in), '\n')
	}
	return b, nil
}

// Read reads the lines. They may end with CR LF, and those after the script may lack.
// Errors: ErrBounds, ErrConf, ErrNoConf, ErrNoScript, an *Error, or what the reader
// answers.
func Read(r io.Reader, sizes Sizes) (*Input, error) {
	lines := bufio.NewReader(r)
	i := &Input{}
	conf, err := readLine(lines, sizes.Conf-len(","+logFormat))
	switch {
	case errors.Is(err, errLong):
		return nil, ErrConf
	case errors.Is(err, io.EOF):
		return nil, ErrNoConf
	case err != nil:
		return nil, fmt.Errorf("read the conf: %w", err)
	}
	i.Conf = string(conf)
	for n, t := range i.texts() {
		limit := sizes.Other
		if n == 0 {
			limit = sizes.Script
		}
		if *t.in, err = readText(lines, limit); err == nil {
			continue
		}
		switch corrupt := base64.CorruptInputError(0); {
		case errors.Is(err, io.EOF) && n == 0:
			return nil, ErrNoScript
		case errors.Is(err, io.EOF):
			return i, nil
		case errors.Is(err, errLong):
			return nil, ErrBounds
		case errors.As(err, &corrupt):
			return nil, &Error{Line: n + 2, Name: t.name, Err: err}
		default:
			return nil, fmt.Errorf("read the %s: %w", t.name, err)
		}
	}
	return i, nil
}

// readText reads a line of base64: nil if it is empty.
func readText(r *bufio.Reader, limit int) ([]byte, error) {
	line, err := readLine(r, limit)
	if err != nil || len(line) == 0 {
		return nil, err
	}
	if at := bytes.IndexByte(line, '\r'); at >= 0 { // which the decoder would pass over
		return nil, base64.CorruptInputError(at)
	}
	n, err := base64.StdEncoding.Decode(line, line)
	return line[:n:n], err
}

var errLong = errors.New("the line is longer")

// readLine reads a line, without its end, of at most limit bytes. The error is io.EOF
// where there is none; the last may have no end.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit+len("\r\n") {
			return nil, errLong
		}
		line = append(line, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil && (!errors.Is(err, io.EOF) || len(line) == 0):
			return nil, err
		}
		line = bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
		if len(line) > limit {
			return nil, errLong
		}
		return line, nil
	}
}

// WithLog is the conf as the programs hand it on: their log is JSON.
func (i *Input) WithLog() string {
	if i.Conf == "" {
		return logFormat
	}
	return i.Conf + "," + logFormat
}

// LuaFirst reports whether the context is Lua that zencode-exec of a release runs
// before the script: its first line is lua.
func (i *Input) LuaFirst() bool {
	first, _, _ := bytes.Cut(i.Context, []byte("\n"))
	return string(bytes.TrimSuffix(first, []byte("\r"))) == "lua"
}
