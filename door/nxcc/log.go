package nxcc

import (
	"context"
	"strings"
	"sync"
	"time"
)

// What a worker's log holds: the lines that came last.
const (
	LogLinesMax = 10_000
	LogBytesMax = 10 << 10
	// LineBytesMax bounds one of them, so that there is room for others.
	LineBytesMax = LogBytesMax / 4
)

// A Line of a worker's log.
type Line struct {
	Text string
	Time time.Time
}

// A Log is what a worker said. It is safe for concurrent use.
type Log struct {
	mu    sync.Mutex
	lines []Line
	first uint64 // number of lines[0]
	bytes int
	grown chan struct{} // closed when there is more, or no more comes
	ended bool
}

func newLog() *Log { return &Log{grown: make(chan struct{})} }

// add adds a line; one of more than LineBytesMax is cut. The oldest go.
func (l *Log) add(now time.Time, text string) {
	if len(text) > LineBytesMax {
		text = strings.ToValidUTF8(text[:LineBytesMax], "")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines, l.bytes = append(l.lines, Line{text, now}), l.bytes+len(text)
	drop := 0
	for len(l.lines)-drop > LogLinesMax || l.bytes > LogBytesMax {
		l.bytes -= len(l.lines[drop].Text)
		drop++
	}
	clear(l.lines[:drop])
	l.lines, l.first = l.lines[drop:], l.first+uint64(drop)
	l.wake()
}

func (l *Log) wake() {
	close(l.grown)
	l.grown = make(chan struct{})
}

// end tells those who follow that no more comes.
func (l *Log) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	l.wake()
}

// from are the lines from a number on, the number of the line after them, and what is
// closed when there are more: nil if no more come.
func (l *Log) from(number uint64) (lines []Line, next uint64, grown <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next = l.first + uint64(len(l.lines))
	if number = max(number, l.first); number < next {
		lines = append(lines, l.lines[number-l.first:]...)
	}
	if !l.ended {
		grown = l.grown
	}
	return lines, next, grown
}

// Lines are all that it holds.
func (l *Log) Lines() []Line {
	lines, _, _ := l.from(0)
	return lines
}

// Stream sends the last lines that there are, all for zero, and with follow those
// that come, until the context is done or no more come.
func (l *Log) Stream(ctx context.Context, tail uint32, follow bool, send func(line Line, historical bool) error) error {
	lines, next, grown := l.from(0)
	if tail > 0 && uint64(len(lines)) > uint64(tail) {
		lines = lines[len(lines)-int(tail):]
	}
	for historical := true; ; historical = false {
		for _, line := range lines {
			if err := send(line, historical); err != nil {
				return err
			}
		}
		if !follow || grown == nil {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
		lines, next, grown = l.from(next)
	}
}
