// Package xsnap speaks the protocol of xsnap-worker, of npm's @agoric/xsnap, to a
// parent on one side and to a JavaScript worker of ours on the other, so that who
// uses xsnap today goes on with another worker.
//
// What cannot be as there is in docs/concepts/xsnap.md.
package xsnap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"carrel/guest/js"
	"carrel/machine/image"
	"carrel/netstring"
	"carrel/turn"
)

// MeterUnit is the fuel that the meter counts as one, so that limits that were
// chosen for XS bound about as much work here: see docs/concepts/xsnap.md.
const MeterUnit = 256

// An Engine makes workers: a *js.Engine is one.
type Engine interface {
	Start(js.Config) (*js.Worker, error)
	Restore(*image.Image, js.Config) (*js.Worker, error)
	Label() *image.Label
}

// A Host is all that a worker is handed.
type Host struct {
	Commands       io.Reader // of the parent: descriptor 3
	Replies        io.Writer // to the parent: descriptor 4
	Stdout, Stderr io.Writer

	// Engine is asked for once, while a snapshot is being read.
	Engine func() (Engine, error)
	// Open opens what is to be read, and Create what is to be written: the path of a
	// file, or @ and the number of a descriptor, which stays open whatever is done
	// with what they answer.
	Open   func(name string) (io.ReadCloser, error)
	Create func(name string) (io.WriteCloser, error)
	// Module makes a script of the module at a path, with all that it imports.
	Module func(path string) (source string, err error)
	Now    func() time.Time
	// Gone is closed when nobody is left to read replies: what is under way is stopped
	// then. Nil is never.
	Gone <-chan struct{}
}

// A server is a worker with its parent.
type server struct {
	options Options
	host    Host
	worker  *js.Worker
	label   *image.Label
	in      *bufio.Reader
	out     []byte // of a reply
	times   timestamps
	failed  bool            // the last command, as it is told at the end
	modules map[string]bool // those that were imported: none is run twice
	module  string          // what the last module threw, which is told at the end too
	from    *image.Image    // nothing is told before it is verified; nil if it is
}

const readBytes = 64 << 10

// Serve does what the parent commands, to the end, and answers the exit code.
//
// That a command failed is remembered until another is tried: the worker then ends
// with ExitException. Libraries tell their users so, and some count on it.
func Serve(options Options, host Host) int {
	s := &server{options: options, host: host, modules: map[string]bool{}, in: bufio.NewReaderSize(host.Commands, readBytes)}
	err := s.start()
	if err == nil && host.Gone != nil {
		ended := make(chan struct{})
		defer close(ended)
		go s.stopWhenGone(ended)
	}
	for err == nil {
		err = s.next()
	}
	if s.worker != nil {
		defer s.worker.Close()
	}
	if damaged := s.verified(); damaged != nil {
		err = damaged // and what such a heap did says nothing
	}
	end := (*exit)(nil)
	if !errors.As(err, &end) {
		end = &exit{ExitIO, err.Error()}
	}
	if end.line != "" {
		fmt.Fprintf(host.Stderr, "%s\n", end.line)
	}
	return end.code
}

// stopEvery is how often a worker is stopped whose parent has gone: a turn that
// begins forgets that it was.
const stopEvery = 100 * time.Millisecond

func (s *server) stopWhenGone(ended <-chan struct{}) {
	select {
	case <-ended:
		return
	case <-s.host.Gone:
	}
	again := time.NewTicker(stopEvery)
	defer again.Stop()
	for {
		s.worker.Stop()
		select {
		case <-ended:
			return
		case <-again.C:
		}
	}
}

// start makes the worker.
func (s *server) start() error {
	config := js.Config{
		Limits:    js.Limits{Fuel: turn.FuelMax, Compute: s.options.Limit, MemoryPages: turn.MemoryPagesMax},
		MeterUnit: MeterUnit,
		Clock:     func() uint64 { return uint64(max(0, s.host.Now().UnixNano())) },
		Print:     s.print,
		Warn:      s.warn,
		Command:   s.query,
	}
	if s.options.Snapshot == "" {
		engine, err := s.host.Engine()
		if err != nil {
			return err
		}
		s.label = engine.Label()
		s.worker, err = engine.Start(config)
		return err
	}
	loading := make(chan loaded, 1)
	go func() { loading <- s.load() }()
	engine, err := s.host.Engine()
	if err != nil {
		return err
	}
	from := <-loading
	if from.err != nil {
		return s.unread(from.err)
	}
	if s.label = engine.Label(); *from.label != *s.label {
		return s.unread(fmt.Errorf("it is of guest %s %d with program %v, this is %s %d with %v",
			from.label.Guest, from.label.GuestVersion, from.label.Program, s.label.Guest, s.label.GuestVersion, s.label.Program))
	}
	if s.worker, err = engine.Restore(from.image, config); err != nil {
		return s.unread(err)
	}
	s.from = from.image
	return nil
}

// verified waits until it is known that what the worker began with is what was
// written once.
func (s *server) verified() error {
	if s.from == nil {
		return nil
	}
	if err := s.from.Verify(); err != nil {
		return s.unread(err)
	}
	s.from = nil
	return nil
}

// loaded is a snapshot to start from, while the engine is being loaded.
type loaded struct {
	image *image.Image
	label *image.Label
	err   error
}

func (s *server) load() (from loaded) {
	file, err := s.host.Open(s.options.Snapshot)
	if err != nil {
		return loaded{err: err}
	}
	defer file.Close()
	from.image, from.label, from.err = readSnapshot(file, s.options.Snapshot)
	if from.err == nil {
		go from.image.Verify() // while the worker begins
	}
	return from
}

func (s *server) unread(err error) error {
	return &exit{ExitIO, fmt.Sprintf("cannot read snapshot %s: %s", s.options.Snapshot, strerror(err))}
}

// strerror is an error as C's strerror has it, if it is the system's.
func strerror(err error) string {
	number := syscall.Errno(0)
	if !errors.As(err, &number) {
		return err.Error()
	}
	text := number.Error()
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// next does the next command. The error is how the worker ends.
func (s *server) next() error {
	body, err := netstring.Read(s.in, netstring.BytesMax)
	s.times = s.times[:0]
	s.times.add(s.host.Now())
	if errors.Is(err, io.EOF) {
		return s.end()
	} else if err != nil {
		return malformed(err)
	}
	command := byte(0)
	if len(body) > 0 {
		command = body[0]
	}
	switch command {
	case 'R':
		return s.send([]byte("."))
	case 'e':
		return s.evaluate(body[1:])
	case '?':
		reply, err := s.worker.Deliver(body[1:])
		return s.answer(command, reply, err)
	case 's':
		return s.script(text(body[1:]))
	case 'm':
		return s.importModule(text(body[1:]))
	case 'w':
		return s.snapshot(text(body[1:]))
	case 'q':
		return s.end()
	}
	return &exit{ExitIO, fmt.Sprintf("Unexpected prefix '%c' in command '%s'", command, text(body))}
}

// text is a string of C: what follows a zero byte is not of it.
func text(b []byte) string {
	before, _, _ := bytes.Cut(b, []byte{0})
	return string(before)
}

// malformed ends the worker for a netstring that is none.
func malformed(err error) error {
	part := netstring.Error("")
	errors.As(err, &part)
	return &exit{ExitIO, string(part)}
}

// end ends the worker as its parent wants it.
func (s *server) end() error {
	if s.module != "" || s.failed {
		return &exit{ExitException, s.module}
	}
	return &exit{code: ExitSuccess}
}

func (s *server) evaluate(source []byte) error {
	if uint64(len(source)) > s.options.ParserBytes && uint64(longestWord(source)) > s.options.ParserBytes {
		return s.fail("RangeError: buffer overflow")
	}
	reply, err := s.worker.Evaluate(string(source))
	return s.answer('e', reply, err)
}

// answer answers a command that was evaluated or delivered.
func (s *server) answer(command byte, reply js.Reply, err error) error {
	s.failed = false
	switch {
	case err != nil:
		return err
	case reply.Outcome.Class != turn.Exit:
		return s.fault(reply.Outcome)
	case reply.Thrown == nil:
		return s.okay(reply.Compute, reply.Bytes)
	case reply.Thrown.Result:
		// The numbers are XS's, of the types of an object and of undefined.
		if err := s.warn(fmt.Sprintf("%c computing response 10 0: undefined: %s", command, reply.Thrown.Text)); err != nil {
			return err
		}
		return s.okay(reply.Compute, nil)
	}
	return s.fail(reply.Thrown.Text)
}

// fault ends the worker after a turn that could not go on.
func (s *server) fault(outcome turn.Outcome) error {
	end := &exit{code: exitCode(outcome.Class)}
	if outcome.Class == turn.Stopped {
		return broken(syscall.EPIPE, "")
	}
	if outcome.Class == turn.Worker {
		end.line = outcome.Text
		errors.As(s.worker.Err(), &end) // ours, of a function that it called
	}
	return end
}

func (s *server) fail(text string) error {
	s.failed = true
	return s.send([]byte("!"), []byte(text))
}

// script runs a file as a script.
func (s *server) script(path string) error {
	source, err := s.read(path)
	if err != nil {
		return s.failFile(fmt.Sprintf("Error: cannot read %s: %s", path, strerror(err)))
	}
	reply, err := s.worker.Run(string(source), path)
	switch {
	case err != nil:
		return err
	case reply.Outcome.Class != turn.Exit:
		return s.fault(reply.Outcome)
	case reply.Thrown != nil:
		return s.failFile(reply.Thrown.Text)
	case s.failed:
		return s.send([]byte("!"))
	}
	return s.okay(reply.Compute, nil)
}

// failFile tells why a file failed on standard error, and only that it did in the
// reply.
func (s *server) failFile(line string) error {
	if err := s.warn(line); err != nil {
		return err
	}
	return s.fail("")
}

func (s *server) read(path string) ([]byte, error) {
	file, err := s.host.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, js.BytesMax))
}

// okay answers that a command was done, with what it used.
func (s *server) okay(compute uint64, result []byte) error {
	s.times.add(s.host.Now())
	head := fmt.Appendf(nil, `.{"currentHeapCount":%d,"compute":%d,"allocate":%d,"timestamps":`,
		s.worker.Allocations(), compute, s.worker.MemoryBytes())
	head = append(s.times.appendTo(head), "}\x01"...)
	return s.send(head, result)
}

// keptBytesMax is how much of a buffer is kept for the next reply.
const keptBytesMax = 1 << 20

// send sends a message of some parts to the parent.
func (s *server) send(parts ...[]byte) error {
	if err := s.verified(); err != nil {
		return err
	}
	s.out = netstring.Append(s.out[:0], parts...)
	_, err := s.host.Replies.Write(s.out)
	if cap(s.out) > keptBytesMax {
		s.out = nil
	}
	if err != nil {
		return broken(err, "Cannot write netstring, error flushing stream, fflush")
	}
	return nil
}

// broken ends the worker whose output nobody reads.
func broken(err error, otherwise string) error {
	if errors.Is(err, syscall.EPIPE) {
		otherwise = "Caught SIGPIPE. Has parent died?"
	}
	return &exit{ExitIO, otherwise}
}

// print prints a line of the code, at once. As in C, it is lost if it cannot be
// written; but if nobody will ever read it, that is the end.
func (s *server) print(line string) error {
	if s.options.PrintMeter {
		line = fmt.Sprintf("[%d] %s", s.worker.Meter(), line)
	}
	return s.say(s.host.Stdout, line)
}

func (s *server) warn(line string) error { return s.say(s.host.Stderr, line) }

func (s *server) say(w io.Writer, line string) error {
	if err := s.verified(); err != nil {
		return err
	}
	if _, err := io.WriteString(w, line+"\n"); errors.Is(err, syscall.EPIPE) {
		return broken(err, "")
	}
	return nil
}

// query asks the parent, while the code waits for the answer.
func (s *server) query(message []byte) ([]byte, error) {
	s.times.add(s.host.Now())
	if err := s.send([]byte("?"), message); err != nil {
		return nil, err
	}
	body, err := netstring.Read(s.in, netstring.BytesMax)
	switch {
	case errors.Is(err, io.EOF):
		return nil, &exit{ExitIO, "Got EOF on netstring read. Has parent died?"}
	case err != nil:
		part := netstring.Error("")
		errors.As(err, &part)
		return nil, js.Refusal(part)
	}
	s.times.add(s.host.Now())
	if len(body) == 0 || body[0] != '/' {
		return nil, js.Refusal("Received unexpected command reply.")
	}
	return body[1:], nil
}
