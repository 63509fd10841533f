// Package xsnap runs JavaScript in a worker process: Carrel's xsnap-worker, or the
// one of npm's @agoric/xsnap. A worker evaluates, takes messages, asks its parent
// while it does, and writes its heap as a snapshot that another one starts from.
package xsnap

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"carrel/netstring"
)

const (
	// NameDefault is what a worker is called if nobody names it.
	NameDefault = "xsnap-worker"
	// stderrBytesMax is how much of what a worker says last an ExitError tells.
	stderrBytesMax = 4 << 10
	readBytes      = 64 << 10
)

// Options say how a worker is started. Only Path must be set.
type Options struct {
	// Path is the worker's program: it is looked for as exec.Command does.
	Path string
	// Name is for people: in errors, and in the list of processes. It does not
	// begin with a hyphen.
	Name string
	// MeteringLimit is what a command may compute at most, in units of the
	// worker's meter, below 1<<31; 0 is no limit.
	MeteringLimit uint64
	// ParserKiB is the largest word of source, in KiB; 0 is the worker's own.
	ParserKiB int
	// Snapshot is what the worker starts from, if it is not nil; it is read to
	// its end.
	Snapshot io.Reader
	// SnapshotFile is a file to start from instead, which the worker reads itself.
	SnapshotFile string
	// MessageBytesMax bounds a message of the worker; 0 is netstring.BytesMax.
	MessageBytesMax int
	// Handle answers issueCommand, while the worker waits. It must not call the
	// worker. Its error ends the worker. Nil refuses all.
	Handle func(ctx context.Context, message []byte) ([]byte, error)
	// Stdout is given what is printed, and Stderr what goes wrong; nil discards
	// the former, and the latter but for its end, which is in an ExitError.
	Stdout, Stderr io.Writer
	// Env is the worker's environment; nil is that of this process.
	Env []string
}

func (o *Options) check() error {
	switch {
	case o.Path == "":
		return errors.New("no program is named")
	case strings.HasPrefix(o.Name, "-"):
		return fmt.Errorf("name %q begins with a hyphen", o.Name)
	case o.MeteringLimit >= 1<<31:
		return fmt.Errorf("metering limit of %d, the largest is %d", o.MeteringLimit, 1<<31-1)
	case o.Snapshot != nil && o.SnapshotFile != "":
		return errors.New("there are two snapshots to start from")
	case strings.HasPrefix(o.SnapshotFile, "@"):
		return fmt.Errorf("the name of the snapshot %q begins with @", o.SnapshotFile)
	case o.ParserKiB < 0 || o.ParserKiB >= 1<<21:
		return fmt.Errorf("parser of %d KiB, the largest is %d", o.ParserKiB, 1<<21-1)
	case o.MessageBytesMax < 0 || o.MessageBytesMax > netstring.BytesMax:
		return fmt.Errorf("messages of %d bytes, the largest are %d", o.MessageBytesMax, netstring.BytesMax)
	}
	return nil
}

func (o *Options) args() []string {
	args := []string{o.Name}
	if o.Snapshot != nil {
		args = append(args, "-r", "@8:"+o.Name)
	} else if o.SnapshotFile != "" {
		args = append(args, "-r", o.SnapshotFile)
	}
	if o.MeteringLimit > 0 {
		args = append(args, "-l", strconv.FormatUint(o.MeteringLimit, 10))
	}
	if o.ParserKiB > 0 {
		args = append(args, "-s", strconv.Itoa(o.ParserKiB))
	}
	return args
}

// ErrClosed reports a worker that was closed or terminated before.
var ErrClosed = errors.New("the worker is closed")

// A Worker is a worker process. It does one thing at a time: calls wait for each
// other.
type Worker struct {
	options Options
	process *exec.Cmd
	stderr  tail

	exited chan struct{} // closed when exit is there
	exit   *ExitError

	mu       sync.Mutex
	commands *os.File // descriptor 3 of the worker
	replies  *bufio.Reader
	images   *os.File // descriptor 7
	closed   bool
	out      []byte
	files    []*os.File // all of ours
}

// Start starts a worker, and waits until it is ready for commands. Of one that
// cannot be, the error is an *ExitError.
func Start(ctx context.Context, o Options) (*Worker, error) {
	if o.Name == "" {
		o.Name = NameDefault
	}
	if o.MessageBytesMax == 0 {
		o.MessageBytesMax = netstring.BytesMax
	}
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	w := &Worker{options: o, exited: make(chan struct{})}
	if err := w.start(); err != nil {
		return nil, fmt.Errorf("start worker: %w", err)
	}
	if err := w.Ready(ctx); err != nil {
		return nil, fmt.Errorf("start worker: %w", errors.Join(err, ignoreExit(w.Terminate())))
	}
	return w, nil
}

// ignoreExit leaves out of an error that the worker has exited.
func ignoreExit(err error) error {
	if exit := (*ExitError)(nil); errors.As(err, &exit) {
		return nil
	}
	return err
}

func (w *Worker) start() (err error) {
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			f.Close()
		}
		if err != nil {
			w.closeFiles()
		}
	}()
	// pipe is a pipe, one end ours and one theirs.
	pipe := func(read bool) (ours, other *os.File) {
		if err != nil {
			return nil, nil
		}
		r, wr, failure := os.Pipe()
		if failure != nil {
			err = failure
			return nil, nil
		}
		ours, other = wr, r
		if read {
			ours, other = r, wr
		}
		w.files, theirs = append(w.files, ours), append(theirs, other)
		return ours, other
	}
	commands, three := pipe(false)
	replies, four := pipe(true)
	images, seven := pipe(true)
	extra := []*os.File{three, four, nil, nil, seven}
	var load *os.File
	if w.options.Snapshot != nil {
		var eight *os.File
		load, eight = pipe(false)
		extra = append(extra, eight)
	}
	if err != nil {
		return err
	}
	w.commands, w.images, w.replies = commands, images, bufio.NewReaderSize(replies, readBytes)
	w.process = exec.Command(w.options.Path, w.options.args()...)
	w.process.ExtraFiles = extra
	w.process.Env = w.options.Env
	w.process.Stdout = w.options.Stdout
	if w.process.Stderr = w.options.Stderr; w.options.Stderr == nil {
		w.process.Stderr = &w.stderr
	}
	if err := w.process.Start(); err != nil {
		return err
	}
	if load != nil {
		go func() {
			// That it cannot be written is for the worker to tell, whose end it is.
			_, _ = io.Copy(load, w.options.Snapshot)
			load.Close()
		}()
	}
	go w.wait()
	return nil
}

// wait waits for the end of the process.
func (w *Worker) wait() {
	err := w.process.Wait()
	exit := &ExitError{Name: w.options.Name, Stderr: w.stderr.text()}
	if status, ok := w.process.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		exit.Signal = status.Signal()
	} else if exit.Code = ExitCode(w.process.ProcessState.ExitCode()); exit.Code == 255 {
		exit.Code = Unknown
	}
	if exit.Stderr == "" && exit.Code == Success && exit.Signal == nil && err != nil {
		exit.Stderr = err.Error()
	}
	w.exit = exit
	close(w.exited)
}

func (w *Worker) closeFiles() {
	for _, f := range w.files {
		f.Close()
	}
}

// A tail keeps the end of what is written.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if n := len(t.kept) - stderrBytesMax; n > 0 {
		t.kept = append(t.kept[:0], t.kept[n:]...)
	}
	return len(b), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimRight(strings.ToValidUTF8(string(t.kept), "\ufffd"), "\n")
}
