package nxcc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/guest/zencode/lines"
	"carrel/guest/zencode/secret"
	"carrel/native"
	"carrel/runner"
)

// A Job is a script and what it is handed.
type Job struct {
	Lua                        bool
	Script                     []byte
	Conf                       string
	Keys, Data, Extra, Context []byte // JSON; secrets are to be put into keys
	Secrets                    map[string][]byte
	SecretLimits               secret.Limits
	MemoryBytes                uint64 // at most; 0 is what the executor has
	Now                        time.Time
	Timeout                    time.Duration // of its own running; 0 is none
	StdoutMax, StderrMax       int           // bytes
}

// An Execution is how a job ended.
type Execution struct {
	Code                   int // -1: it did not end by itself
	Stdout, Stderr         []byte
	StdoutOver, StderrOver bool     // it was stopped, since there was more
	Problem                *Problem // of the codes below; nil if it ended
	// Turn is what a receipt can be made of; nil where nothing can be verified.
	Turn *runner.Turn
}

// What an execution fails by.
const (
	codeTimeout = "timeout"
	codeExec    = "exec_failed"
	codeSecrets = "secret_injection_failed"

	textTimeout = "Zenroom execution timed out"
)

// An Executor runs jobs, each until its end, its timeout, or the context's end. It is
// safe for concurrent use.
type Executor interface {
	Execute(ctx context.Context, job *Job) *Execution
	// Expect tells of a script that will be executed, maybe soon.
	Expect(job *Job)
	Close() error
}

// errTimeout ends a job that took too long.
var errTimeout = errors.New(textTimeout)

// timed is a context that ends when the job has taken too long.
func (j *Job) timed(ctx context.Context) (context.Context, context.CancelFunc) {
	if j.Timeout <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, j.Timeout, errTimeout)
}

func failed(code string, err error) *Execution {
	return &Execution{Code: -1, Problem: &Problem{code, err.Error()}}
}

// Native runs jobs by Zenroom's own executables. What comes of it is not determined.
type Native struct {
	Zencode, Lua string // paths, or names on PATH
}

// Execute is of Executor. The memory of a process is not bounded.
func (n *Native) Execute(ctx context.Context, job *Job) *Execution {
	keys, err := secret.Inject(job.Keys, job.Secrets, job.SecretLimits)
	if err != nil {
		return failed(codeSecrets, err)
	}
	defer keys.Wipe()
	input := lines.Input{Conf: job.Conf, Script: job.Script, Keys: keys.Text, Data: job.Data, Extra: job.Extra, Context: job.Context}
	stdin, err := input.Append(nil)
	if err != nil {
		return failed(codeExec, err)
	}
	defer clear(stdin)
	path := n.Zencode
	if job.Lua {
		path = n.Lua
	}
	ctx, cancel := job.timed(ctx)
	defer cancel()
	result, err := native.Run(ctx, native.Command{Path: path, Stdin: stdin, StdoutMax: job.StdoutMax, StderrMax: job.StderrMax})
	x := &Execution{Code: result.Code, Stdout: result.Stdout, Stderr: result.Stderr, StdoutOver: result.StdoutOver, StderrOver: result.StderrOver}
	switch {
	case err != nil && errors.Is(context.Cause(ctx), errTimeout):
		x.Code, x.Problem = -1, &Problem{codeTimeout, textTimeout}
	case err != nil && !x.StdoutOver && !x.StderrOver:
		x.Code, x.Problem = -1, &Problem{codeExec, err.Error()}
	}
	return x
}

// Expect does nothing: nothing can be prepared.
func (n *Native) Expect(*Job) {}

// Close does nothing.
func (n *Native) Close() error { return nil }

// Split runs jobs of Zencode and of Lua by two executors.
type Split struct{ Zencode, Lua Executor }

func (s *Split) of(job *Job) Executor {
	if job.Lua {
		return s.Lua
	}
	return s.Zencode
}

// Execute is of Executor.
func (s *Split) Execute(ctx context.Context, job *Job) *Execution { return s.of(job).Execute(ctx, job) }

// Expect is of Executor.
func (s *Split) Expect(job *Job) { s.of(job).Expect(job) }

// Close closes both.
func (s *Split) Close() error {
	if s.Zencode == s.Lua {
		return s.Lua.Close()
	}
	return errors.Join(s.Zencode.Close(), s.Lua.Close())
}

// Text says why the execution did not end by itself, if so.
func (x *Execution) Text() string {
	if x.Problem == nil {
		return ""
	}
	return x.Problem.Message
}

// exited is the problem of an execution that did not end well, nil of one that did.
func (x *Execution) exited() *Problem {
	switch {
	case x.Problem != nil:
		return x.Problem
	case x.StdoutOver:
		return &Problem{"stdout_limit_exceeded", "stdout exceeded configured limit"}
	case x.StderrOver:
		return &Problem{"stderr_limit_exceeded", "stderr exceeded configured limit"}
	case x.Code != 0:
		return &Problem{"zenroom_exit_nonzero", fmt.Sprintf("Zenroom exited with code %d", x.Code)}
	}
	return nil
}
