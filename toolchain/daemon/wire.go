// Package daemon keeps a compiler loaded between commands: a process of one user
// that runs tools for others of the same user, over a Unix socket.
//
// It only computes. Whatever a tool reads of the host, and whatever it writes, it
// asks of the process that sent the command, which does it with its own rights,
// in its own directory, under its own umask. So a command does the same through
// the daemon as without it.
//
// A connection carries one command: a request, then asks of the daemon, each with
// an answer, until the one that ends it. Messages are encoding/gob: both ends are
// of one binary, since a daemon's socket is named by its build. A connection that
// is closed stops its command.
package daemon

import (
	"errors"
	"io"
	"io/fs"

	"carrel/receipt"
	"carrel/toolchain"
	"carrel/tree"
	"carrel/turn"
)

// request is toolchain.Command without what is asked of the client.
type request struct {
	Tool   string
	Args   []string
	Dir    string
	Limits turn.Limits
	Record bool
}

// An op is what the daemon asks of a client.
type op uint8

const (
	opStat   op = iota + 1 // Name
	opList                 // Name, N: the limit
	opLink                 // Name
	opRead                 // Name, N: the size
	opStdin                // N: how many bytes at most
	opStdout               // Data
	opStderr               // Data
	opApply                // Changes, Programs
	opKeep                 // Name: the digest, Data
	opEnd                  // Code, Steps, Fault, Err: needs no answer
)

type ask struct {
	Op       op
	Name     string
	N        int64
	Data     []byte
	Changes  []tree.Change
	Programs []string

	Code  int
	Steps []receipt.Turn
	Fault *turn.Outcome // the tool did not end by itself
	Err   string        // the daemon's own
}

// seen reports whether what is asked for cannot be done once more.
func (q *ask) seen() bool {
	switch q.Op {
	case opStdout, opStderr:
		return len(q.Data) > 0
	case opStdin, opApply:
		return true
	}
	return false
}

type answer struct {
	Kind    tree.Kind
	Size    int64
	Entries []tree.Entry
	Target  string
	Data    []byte

	Err    string // "" if it was done
	Absent bool   // Err is fs.ErrNotExist
	End    bool   // of standard input
}

// readBytesMax bounds what is read of standard input at once.
const readBytesMax = 1 << 16

// failure is an error for the other end.
func (a *answer) fail(err error) {
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		a.End = true
	default:
		a.Err, a.Absent = err.Error(), errors.Is(err, fs.ErrNotExist)
	}
}

// remoteError is an error of the other end.
type remoteError struct {
	text   string
	absent bool
}

func (e *remoteError) Error() string { return e.text }

func (e *remoteError) Is(target error) bool { return e.absent && target == fs.ErrNotExist }

func (a *answer) err() error {
	switch {
	case a.Err != "":
		return &remoteError{a.Err, a.Absent}
	case a.End:
		return io.EOF
	}
	return nil
}

// do does what is asked, for a command.
func do(c *toolchain.Command, q *ask) (a answer) {
	var err error
	switch q.Op {
	case opStat:
		a.Kind, a.Size, err = c.Root.Stat(q.Name)
	case opList:
		a.Entries, err = c.Root.List(q.Name, int(q.N))
	case opLink:
		a.Target, err = c.Root.Link(q.Name)
	case opRead:
		a.Data, err = c.Root.Read(q.Name, q.N)
	case opStdin:
		a.Data = make([]byte, min(q.N, readBytesMax))
		var n int
		n, err = c.Stdin.Read(a.Data)
		a.Data = a.Data[:n]
	case opStdout:
		_, err = c.Stdout.Write(q.Data)
	case opStderr:
		_, err = c.Stderr.Write(q.Data)
	case opApply:
		err = c.Apply(q.Changes, q.Programs)
	case opKeep:
		err = c.Record.Keep(q.Name, q.Data)
	default:
		err = errors.New("the daemon asks for what this client does not know")
	}
	a.fail(err)
	return a
}
