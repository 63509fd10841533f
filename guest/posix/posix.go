package posix

import (
	"fmt"
	"io"

	"carrel/tree"
)

const (
	// Name is the name of this personality in receipts.
	Name = "posix"
	// Version is the version of the host layer: every rule and limit of this
	// package. It changes whenever the same program and input could give a
	// different result.
	Version = 1
)

// RootName is another name of the root where there is a working directory: a C
// library takes the slash off a path before it looks for the descriptor that it
// begins with, so that it finds the working directory for what is in the root.
const RootName = "/.root"

// A Clock says how time passes while a program runs.
type Clock uint8

const (
	Tick  Clock = iota // every reading of a clock advances time by one microsecond
	Fixed              // time stands still; only sleep advances it
)

// ParseClock is the inverse of String.
func ParseClock(s string) (Clock, error) {
	for _, c := range []Clock{Tick, Fixed} {
		if c.String() == s {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%q is neither tick nor fixed", s)
}

func (c Clock) String() string {
	if c == Fixed {
		return "fixed"
	}
	return "tick"
}

// A Config is all that a program is handed. The zero value is a program with
// no arguments, no files, empty input and discarded output.
type Config struct {
	Args  []string // argv, the program's name first
	Env   []string // "NAME=value", in the order the program sees
	Start uint64   // real-time clock at the start, in nanoseconds since 1970
	Clock Clock
	Seed  []byte // seed of the random stream, at most SeedBytesMax; nil is a seed like any other

	// Host is the host region of the image that the program goes on from; empty
	// for one that begins. Clocks go on where they stood, or at Start if that is
	// later; the random stream is another one. All else starts fresh.
	Host []byte

	Stdin  io.Reader // nil is empty
	Stdout io.Writer // nil discards, but still counts and hashes
	Stderr io.Writer // nil discards, but still counts and hashes

	// StdinLines makes a read of standard input end after a newline, for
	// programs that talk with a person. Otherwise a read returns all that was
	// asked for or up to the end of input. It is an input: it changes results.
	StdinLines bool

	Mounts []Mount // in the order of their descriptors, from 3

	// Cwd, if set, is the directory that relative paths begin at: an absolute
	// guest path in the mount at "/", which must be a directory there. It is a
	// descriptor of the name ".", after those of the mounts, from which ".."
	// leads up to the root. Before it comes one of the name RootName.
	Cwd string

	// Blob, if set, is given the content of every file that is read from a
	// tree without a digest, once, so that it can be kept for replay. It must
	// not change or keep content after it returns.
	Blob func(digest string, content []byte) error
}

// A Mount is a tree (or a single file) that the program finds at a path.
type Mount struct {
	// Guest is the path that the program sees: "/jobs", ".", "data/in.txt".
	Guest string
	// Writable lets the program change the tree. Changes stay in memory: see
	// System.Changes.
	Writable bool
	// Tree is what is there; nil is an empty directory in memory, for scratch.
	Tree Tree
	// Digest, if not empty, names the whole content of Tree (a tar image), and
	// no observations are recorded for it.
	Digest string
}

// Words of package tree.
type (
	Tree   = tree.Tree
	Kind   = tree.Kind
	Entry  = tree.Entry
	Change = tree.Change
)

const (
	Absent = tree.Absent
	File   = tree.File
	Dir    = tree.Dir
	Link   = tree.Link
	Other  = tree.Other
)

// An Observation is what the program learnt of one path of a mounted tree that
// was not pinned by a digest. All of them together are part of the input.
type Observation struct {
	Mount int    // index in Config.Mounts
	Path  string // within the mount, "." for its root
	Kind  Kind

	Size    int64   // of a file
	Digest  string  // "sha256:…" of a file's content, if it was read
	Target  string  // of a link, if it was read or followed
	Listed  bool    // the directory was listed
	Entries []Entry // of a listed directory, sorted by name
}

// A Stream tells what passed through one of the standard streams.
type Stream struct {
	Bytes  uint64
	Digest string // "sha256:…"
}

// A Result is what a run observed and gave out, beside turn.Outcome.
type Result struct {
	Stdin  Stream // what the program read, not what was there
	Stdout Stream
	Stderr Stream
	// StdinEnd reports that the program met the end of its input.
	StdinEnd bool
}

// A Caller is what a system needs of the program that calls it:
// *machine.Instance, or a fake in tests.
type Caller interface {
	// Bytes is a part of the program's memory; false if it is out of bounds.
	Bytes(offset, length uint32) ([]byte, bool)
	// Charge takes fuel before work is done; the error ends the program.
	Charge(units uint64) error
}
