// Package native runs an executable of this host on an input, as a process group of
// its own, and takes what it prints up to a size. Nothing of that is deterministic.
package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A Command is an executable and its input. It is started without arguments, with the
// environment and the working directory of this process.
type Command struct {
	Path  string // of a file, or a name that is looked for on PATH
	Stdin []byte
	// StdoutMax and StderrMax bound what is kept, in bytes. Who prints more is stopped.
	StdoutMax, StderrMax int
}

// A Result is how a process ended.
type Result struct {
	Code                   int // -1 if it was not started, or was stopped, or died of a signal
	Stdout, Stderr         []byte
	StdoutOver, StderrOver bool // there was more to come
}

// linger is how long what the process left in its pipes may take to come, after it has
// ended: a child of its that holds them open is not waited for.
const linger = time.Second

// Run starts an executable, hands it its input and waits for its end. When the context
// is done, or it prints too much, or does not take its input, its whole group is
// killed. The error is of the start, the input, or the wait, or that of the context;
// the result is there in any case, with what was printed before.
func Run(ctx context.Context, c Command) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return &Result{Code: -1}, err
	}
	p, err := start(c)
	if err != nil {
		return &Result{Code: -1}, fmt.Errorf("start %s: %w", c.Path, err)
	}
	return p.await(ctx)
}

// A process is an executable that runs.
type process struct {
	name           string
	os             *os.Process
	stdin          io.WriteCloser
	stdout, stderr stream
	written        chan error
	exited         chan error // after state is set
	state          *os.ProcessState

	stopped bool
	reason  error // that it was stopped for, if it is an error
}

// A stream is what a process prints.
type stream struct {
	from  io.ReadCloser
	kept  []byte
	over  bool
	ended chan error
}

func start(c Command) (*process, error) {
	cmd := exec.Command(c.Path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := &process{name: c.Path, written: make(chan error, 1), exited: make(chan error, 1)}
	var err error
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.stdout.from, err = cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if p.stderr.from, err = cmd.StderrPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.os = cmd.Process
	p.stdout.read(c.StdoutMax)
	p.stderr.read(c.StderrMax)
	go func() {
		_, err := p.stdin.Write(c.Stdin)
		p.written <- errors.Join(err, p.stdin.Close())
	}()
	go func() { // not cmd.Wait, which would close the pipes
		var err error
		p.state, err = p.os.Wait()
		p.exited <- err
	}()
	return p, nil
}

// read reads a stream in the background, up to a byte more than is kept.
func (s *stream) read(limit int) {
	s.ended = make(chan error, 1)
	go func() {
		b, err := io.ReadAll(io.LimitReader(s.from, int64(limit)+1))
		s.over = len(b) > limit
		s.kept = b[:min(len(b), limit)]
		if errors.Is(err, os.ErrClosed) { // by abandon
			err = nil
		}
		s.ended <- err
	}()
}

// await waits until the process has ended and its pipes are empty.
func (p *process) await(ctx context.Context) (*Result, error) {
	defer p.abandon()
	done := ctx.Done()
	var late <-chan time.Time
	for left := 4; left > 0; {
		select {
		case err := <-p.written:
			left--
			if errors.Is(err, os.ErrClosed) { // by abandon: nobody read it
				err = syscall.EPIPE
			}
			p.failed("write to", err)
		case err := <-p.stdout.ended:
			left--
			p.printed(&p.stdout, err)
		case err := <-p.stderr.ended:
			left--
			p.printed(&p.stderr, err)
		case err := <-p.exited:
			left--
			p.failed("wait for", err)
			late = time.After(linger)
		case <-done:
			done = nil
			p.stop(ctx.Err())
		case <-late:
			p.kill()
			p.abandon()
		}
		if p.stopped && late == nil {
			late = time.After(linger)
		}
	}
	r := &Result{Code: p.state.ExitCode(), Stdout: p.stdout.kept, Stderr: p.stderr.kept, StdoutOver: p.stdout.over, StderrOver: p.stderr.over}
	if p.stopped {
		r.Code = -1
	}
	return r, p.reason
}

// printed takes the end of a stream.
func (p *process) printed(s *stream, err error) {
	if s.over {
		p.stop(nil)
	}
	p.failed("read from", err)
}

func (p *process) failed(what string, err error) {
	if err != nil {
		p.stop(fmt.Errorf("%s %s: %w", what, p.name, err))
	}
}

// stop ends the process. The first reason is the one that is told.
func (p *process) stop(reason error) {
	if p.stopped {
		return
	}
	p.stopped, p.reason = true, reason
	p.kill()
}

// kill kills the process, which may have left its group, and all of the group. The
// group's number is not another's before all of it have gone, and numbers are not used
// again within the time that this may be late.
func (p *process) kill() {
	_ = p.os.Kill()
	_ = syscall.Kill(-p.os.Pid, syscall.SIGKILL)
}

// abandon closes the pipes, so that nobody who holds their other ends is waited for.
func (p *process) abandon() {
	_ = p.stdin.Close()
	_ = p.stdout.from.Close()
	_ = p.stderr.from.Close()
}
