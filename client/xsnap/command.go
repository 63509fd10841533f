package xsnap

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"carrel/netstring"
)

// A Meter is what a command used.
type Meter struct {
	HeapCount  uint64    `json:"currentHeapCount"` // what the heap has in use, in the worker's own units
	Compute    uint64    `json:"compute"`
	Allocate   uint64    `json:"allocate"` // bytes of memory that the worker has taken
	Timestamps []float64 `json:"timestamps"`
}

// A Reply is what came of a command.
type Reply struct {
	Result []byte
	Meter  Meter
}

// Evaluate has the worker evaluate source, UTF-8, as its global eval does. The
// result is the bytes of an ArrayBuffer: of the value, or of its property result.
// Errors: *Exception, *ExitError.
func (w *Worker) Evaluate(ctx context.Context, source string) (Reply, error) {
	return w.command(ctx, 'e', []byte(source))
}

// Deliver gives a message to the worker's handleCommand, and goes on as Evaluate.
func (w *Worker) Deliver(ctx context.Context, message []byte) (Reply, error) {
	return w.command(ctx, '?', message)
}

// Run has the worker run a file as a script, and Import as a module; it must be
// able to read it.
func (w *Worker) Run(ctx context.Context, path string) (Reply, error) {
	return w.command(ctx, 's', []byte(path))
}

// Import has the worker import a file as a module: see Run.
func (w *Worker) Import(ctx context.Context, path string) (Reply, error) {
	return w.command(ctx, 'm', []byte(path))
}

// Ready waits until the worker has nothing else to do. No meter counts that.
func (w *Worker) Ready(ctx context.Context) error {
	_, err := w.command(ctx, 'R', nil)
	return err
}

// command sends a command, and answers what the worker asks until it replies.
func (w *Worker) command(ctx context.Context, prefix byte, body []byte) (Reply, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.locked(ctx, prefix, body)
}

func (w *Worker) locked(ctx context.Context, prefix byte, body []byte) (Reply, error) {
	if w.closed {
		return Reply{}, ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	// A worker cannot be interrupted but by its end.
	stop := context.AfterFunc(ctx, func() { _ = w.process.Process.Kill() })
	defer stop()
	reply, err := w.converse(ctx, prefix, body)
	if err == nil || errors.As(err, new(*Exception)) {
		return reply, err
	}
	err = w.ended(err)
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return Reply{}, err
}

// ended ends the worker, with which nobody can talk any more, and says why.
func (w *Worker) ended(err error) error {
	w.closed = true
	w.commands.Close()
	broken := err
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.EPIPE) {
		broken = nil // the worker has ended, and knows better why
	} else {
		_ = w.process.Process.Kill()
	}
	<-w.exited
	w.closeFiles()
	if broken != nil {
		return broken
	}
	return w.exit
}

// converse sends a command and reads until there is a reply.
func (w *Worker) converse(ctx context.Context, prefix byte, body []byte) (Reply, error) {
	if err := w.send(prefix, body); err != nil {
		return Reply{}, err
	}
	for {
		message, err := netstring.Read(w.replies, w.options.MessageBytesMax)
		if err != nil {
			return Reply{}, fmt.Errorf("read from worker: %w", err)
		}
		if len(message) == 0 {
			return Reply{}, errors.New("the worker sent an empty message")
		}
		switch rest := message[1:]; message[0] {
		case '.':
			return readReply(rest)
		case '!':
			return Reply{}, &Exception{w.options.Name, string(rest)}
		case '?':
			if w.options.Handle == nil {
				return Reply{}, errors.New("the worker asks, and nobody answers: Options.Handle")
			}
			answer, err := w.options.Handle(ctx, rest)
			if err != nil {
				return Reply{}, fmt.Errorf("answer the worker: %w", err)
			}
			if err := w.send('/', answer); err != nil {
				return Reply{}, err
			}
		default:
			return Reply{}, fmt.Errorf("the worker sent an unknown message %.40q", message)
		}
	}
}

func (w *Worker) send(prefix byte, body []byte) error {
	if len(body) >= netstring.BytesMax {
		return fmt.Errorf("a message of %d bytes, the limit is %d", len(body)+1, netstring.BytesMax)
	}
	w.out = netstring.Append(w.out[:0], []byte{prefix}, body)
	_, err := w.commands.Write(w.out)
	if cap(w.out) > readBytes {
		w.out = nil
	}
	if err != nil {
		return fmt.Errorf("write to worker: %w", err)
	}
	return nil
}

// meterEnd is between the meter and the result.
const meterEnd = 1

func readReply(rest []byte) (reply Reply, err error) {
	if len(rest) == 0 {
		return Reply{}, nil
	}
	n := bytes.IndexByte(rest, meterEnd)
	if n < 0 {
		return Reply{}, fmt.Errorf("the worker sent no meter: %.40q", rest)
	}
	if err := json.Unmarshal(rest[:n], &reply.Meter); err != nil {
		return Reply{}, fmt.Errorf("the worker sent a meter that is none: %w", err)
	}
	reply.Result = rest[n+1:]
	return reply, nil
}

// Snapshot writes the worker's heap, and answers how many bytes that are. The
// worker goes on.
func (w *Worker) Snapshot(ctx context.Context, to io.Writer) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return 0, ErrClosed
	}
	c := &copying{from: w.images, to: to, done: make(chan error, 1)}
	c.size.Store(-1)
	go func() { c.done <- c.copy() }()
	reply, err := w.locked(ctx, 'w', []byte("@7"))
	if err != nil {
		w.images.Close() // ends the copying, if nothing else did
		<-c.done
		return 0, err
	}
	size, err := strconv.ParseInt(string(reply.Result), 10, 64)
	if err != nil || size < 0 {
		err = w.ended(fmt.Errorf("the worker says that its snapshot has %.40q bytes", reply.Result))
		<-c.done
		return 0, err
	}
	c.size.Store(size)
	_ = w.images.SetReadDeadline(time.Unix(1, 0)) // the copying looks again
	if err := <-c.done; err != nil {
		return 0, fmt.Errorf("write snapshot: %w", err)
	}
	return size, nil
}

// A copying takes a snapshot from a pipe that stays open.
type copying struct {
	from *os.File
	to   io.Writer
	size atomic.Int64 // of the snapshot; -1 until the worker has said it
	done chan error
}

func (c *copying) copy() (failure error) {
	buffer := make([]byte, 1<<20)
	have := int64(0)
	for {
		size := c.size.Load()
		if size >= 0 && have >= size {
			break
		}
		n, err := c.from.Read(buffer)
		have += int64(n)
		if n > 0 && failure == nil { // what cannot be written is read all the same
			_, failure = c.to.Write(buffer[:n])
		}
		if errors.Is(err, os.ErrDeadlineExceeded) {
			err = c.from.SetReadDeadline(time.Time{})
		}
		if err != nil {
			return err
		}
	}
	if size := c.size.Load(); failure == nil && have != size {
		failure = fmt.Errorf("%d bytes came, and the worker says %d", have, size)
	}
	return errors.Join(failure, c.from.SetReadDeadline(time.Time{}))
}

// Close lets the worker end. If the last command failed, the error is an
// *ExitError with UnhandledException.
func (w *Worker) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return ErrClosed
	}
	w.closed = true
	err := w.send('q', nil)
	w.commands.Close()
	<-w.exited
	w.closeFiles()
	if w.exit.Code != Success || w.exit.Signal != nil {
		return w.exit
	}
	if errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	return err
}

// Terminate ends the worker at once, whatever it does: a call that waits gets an
// *ExitError.
func (w *Worker) Terminate() error {
	err := w.process.Process.Kill()
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	<-w.exited
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.closeFiles()
	return err
}
