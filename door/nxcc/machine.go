package nxcc

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"time"

	"carrel/guest/zencode"
	"carrel/guest/zencode/pool"
	"carrel/receipt"
	"carrel/runner"
	"carrel/turn"
)

// MachineOptions say what a Machine may use.
type MachineOptions struct {
	Engine     *zencode.Engine
	Wasm, Glue []byte      // that the engine was made of, for receipts
	Limits     turn.Limits // of one job
	Running    int         // jobs at once; 0 is one for each processor
	Prepared   int         // instances that wait for a script; negative is none, 0 as many as run
	// Seed, if set, gives each job its seed, in the place of chance.
	Seed func() []byte
	// Keep, if set, is given what a receipt names, but for Wasm and Glue: see runner.Spec.
	Keep func(digest string, content []byte) error
}

// Machine runs jobs on the machine: the result depends on nothing but the job and a
// seed that is drawn for it.
type Machine struct {
	options MachineOptions
	named   *runner.EngineBlobs
	running chan struct{} // has a place for each job that runs
	pool    *pool.Pool
}

// NewMachine makes a Machine, which owns the engine.
func NewMachine(options MachineOptions) *Machine {
	if options.Running <= 0 {
		options.Running = runtime.GOMAXPROCS(0)
	}
	if options.Seed == nil {
		options.Seed = seed
	}
	if options.Prepared == 0 {
		options.Prepared = options.Running
	}
	named := &runner.EngineBlobs{Program: receipt.NewBlob(options.Wasm), Glue: receipt.NewBlob(options.Glue)}
	return &Machine{options, named, make(chan struct{}, options.Running), pool.New(pool.Options{
		Engine: options.Engine, Runs: options.Prepared, Seed: options.Seed, Pause: func() { time.Sleep(preparePause) },
	})}
}

// preparePause is how long what a job answered has to leave before the processor is
// taken for the next.
const preparePause = 2 * time.Millisecond

// seedBytes is the size of the seed of a job.
const seedBytes = 32

func seed() []byte {
	b := make([]byte, seedBytes)
	_, _ = rand.Read(b) // which never fails
	return b
}

// shape is a job without its texts, or with texts that say that there are some.
func (m *Machine) shape(job *Job) *zencode.Input {
	limits := m.options.Limits
	if job.MemoryBytes > 0 {
		limits.MemoryPages = uint32(min(uint64(limits.MemoryPages), job.MemoryBytes>>16))
	}
	return &zencode.Input{Lua: job.Lua, Conf: job.Conf, Keys: job.Keys, Data: job.Data, Extra: job.Extra, Context: job.Context, Limits: limits}
}

// Execute is of Executor.
func (m *Machine) Execute(ctx context.Context, job *Job) *Execution {
	select {
	case m.running <- struct{}{}:
		defer func() { <-m.running }()
	case <-ctx.Done():
	}
	if err := context.Cause(ctx); err != nil {
		return failed(codeExec, err)
	}
	ctx, cancel := job.timed(ctx)
	defer cancel()
	shape := m.shape(job)
	on := m.pool.Take(shape)
	defer on.Close()
	var stdout, stderr bytes.Buffer
	t, err := runner.Run(ctx, nil, &runner.Spec{
		Program: m.options.Wasm, Args: []string{"worker"}, Start: uint64(max(0, job.Now.UnixNano())), Seed: on.Seed, Limits: shape.Limits,
		Stdout: &stdout, Stderr: &stderr, Keep: m.options.Keep,
		Zencode: &runner.Zencode{
			Lua: job.Lua, Script: job.Script, Glue: m.options.Glue, Conf: []byte(job.Conf),
			Keys: job.Keys, Data: job.Data, Extra: job.Extra, Context: job.Context,
			Named: m.named, Secrets: runner.Salted(job.Secrets), SecretLimits: job.SecretLimits,
			Caps: &zencode.Caps{Output: job.StdoutMax, Log: job.StderrMax}, Engine: on,
		},
	})
	if bad := (*runner.SecretsError)(nil); errors.As(err, &bad) {
		return failed(codeSecrets, bad.Err)
	} else if err != nil {
		return failed(codeExec, err)
	}
	x := &Execution{Code: -1, Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), StdoutOver: t.Over.Output, StderrOver: t.Over.Log}
	if t.Outcome.Class.Result() {
		x.Turn = t
	}
	switch o := t.Outcome; {
	case o.Class == turn.Exit:
		x.Code = int(o.Code)
	case o.Class == turn.Fuel, o.Class == turn.Stopped && errors.Is(context.Cause(ctx), errTimeout):
		x.Problem = &Problem{codeTimeout, textTimeout}
	case o.Class == turn.Stopped && !t.Over.Any():
		x.Problem = &Problem{codeExec, "the invocation was abandoned"}
	case o.Class == turn.Worker, o.Class == turn.Refused:
		x.Problem = &Problem{codeExec, o.Text}
	}
	return x
}

// Expect has a run prepared.
func (m *Machine) Expect(job *Job) { m.pool.Expect(m.shape(job)) }

// Close ends what is prepared and closes the engine. No job may be under way.
func (m *Machine) Close() error {
	m.pool.Close()
	return m.options.Engine.Close()
}
