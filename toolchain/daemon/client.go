package daemon

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net"

	"carrel/toolchain"
)

// ErrNone reports that there is no daemon, or that it went away before it did
// anything that can be seen: the command can be run without it.
var ErrNone = errors.New("no daemon")

// Run runs a command through the daemon that listens on a socket, as
// toolchain.Toolchain.Run does it. Cancelling the context ends the command, with
// the context's error.
func Run(ctx context.Context, socket string, c *toolchain.Command) (code int, err error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNone, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	seen := false // it did what cannot be done again
	code, err = converse(conn, c, &seen)
	switch {
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	case err != nil && !seen && errors.As(err, new(*lostError)):
		return 0, fmt.Errorf("%w: %w", ErrNone, err)
	}
	return code, err
}

// A lostError reports that a conversation broke off.
type lostError struct{ err error }

func (e *lostError) Error() string {
	return "the process in the background went away, run it again: " + e.err.Error()
}
func (e *lostError) Unwrap() error { return e.err }

func converse(conn net.Conn, c *toolchain.Command, seen *bool) (int, error) {
	to, from := gob.NewEncoder(conn), gob.NewDecoder(conn)
	r := request{Tool: c.Tool, Args: c.Args, Dir: c.Dir, Limits: c.Limits, Record: c.Record != nil}
	if err := to.Encode(&r); err != nil {
		return 0, &lostError{err}
	}
	for {
		var q ask
		if err := from.Decode(&q); err != nil {
			return 0, &lostError{err}
		}
		if q.Op == opEnd {
			return end(c, &q)
		}
		*seen = *seen || q.seen()
		a := do(c, &q)
		if err := to.Encode(&a); err != nil {
			return 0, &lostError{err}
		}
	}
}

// end is what a command came to.
func end(c *toolchain.Command, q *ask) (int, error) {
	if c.Record != nil {
		c.Record.Steps = q.Steps
	}
	switch {
	case q.Fault != nil:
		return 0, &toolchain.FaultError{Outcome: *q.Fault}
	case q.Err != "":
		return 0, errors.New(q.Err)
	}
	return q.Code, nil
}
