package posix

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"strings"

	"carrel/machine"
)

const (
	// Start is the entry point of a program that runs from beginning to end.
	Start = "_start"
	// Initialize is the entry point of a reactor: a program that is called again
	// and again after it.
	Initialize = "_initialize"
)

// A System is the operating system that one run of one program sees. It is
// used by one goroutine.
type System struct {
	config Config
	caller Caller // the program that runs; nil before and after

	turn    uint64 // how many turns there were before
	time    virtualTime
	random  cipher.Stream
	streams [3]stream
	mounts  []*mount
	root    *inode // of the mount at "/"; nil if there is none
	table   descriptors

	inodes     int    // inodes that exist, and names known to be absent
	lastNumber uint64 // of an inode
	total      int64  // bytes of content and targets held
	seen       int64  // bytes of paths met or missed in mounted trees
	listed     int    // entries held by descriptors
	failure    error

	buffers [][]byte // scratch of iovecs
	dirs    []*inode // scratch of resolve
}

// New prepares a system. An error is a mistake in the configuration or a
// failure of the host.
func New(config Config) (*System, error) {
	s := &System{config: config}
	before, err := readRegion(config.Host)
	if err != nil {
		return nil, err
	}
	s.turn = before.Turns
	s.time = virtualTime{real: max(config.Start, before.Real), elapsed: before.Elapsed, busy: before.Busy, tick: tickNanos}
	if config.Clock == Fixed {
		s.time.tick = 0
	}
	s.streams = [3]stream{
		{name: "stdin", reader: config.Stdin, lines: config.StdinLines},
		{name: "stdout", writer: config.Stdout},
		{name: "stderr", writer: config.Stderr},
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.table.standard(s)
	if err := s.mountAll(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *System) check() error {
	switch {
	case len(s.config.Seed) > SeedBytesMax:
		return fmt.Errorf("seed of %d bytes, the limit is %d", len(s.config.Seed), SeedBytesMax)
	case s.config.Start > timeMax:
		return errors.New("start time is too late")
	case s.config.Clock > Fixed:
		return errors.New("unknown clock")
	}
	for _, list := range [][]string{s.config.Args, s.config.Env} {
		total := 0
		for _, arg := range list {
			if strings.IndexByte(arg, 0) >= 0 {
				return fmt.Errorf("argument %q holds a zero byte", arg)
			}
			total += len(arg) + 1
		}
		if total > ArgBytesMax {
			return fmt.Errorf("arguments or environment of %d bytes, the limit is %d", total, ArgBytesMax)
		}
	}
	return nil
}

// Run runs a program from its entry point to its end. The error is what
// Instance.Outcome asks for.
func (s *System) Run(i *machine.Instance) error {
	_, err := s.Call(i, Start)
	return err
}

// Call calls an exported function of a program, as Instance.Call does.
func (s *System) Call(i *machine.Instance, export string, args ...uint64) ([]uint64, error) {
	i.Guest = s
	results, err := i.Call(export, args...)
	s.caller = nil
	return results, err
}

// Err is the first failure of the host that ended the run (class worker), with
// its type: a closed pipe, a *ChangedError, a *NotObservedError. It is nil if
// there was none.
func (s *System) Err() error { return s.failure }

// Result tells what passed through the standard streams.
func (s *System) Result() Result {
	return Result{
		Stdin:    s.streams[0].result(),
		Stdout:   s.streams[1].result(),
		Stderr:   s.streams[2].result(),
		StdinEnd: s.streams[0].end,
	}
}
