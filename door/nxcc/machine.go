package nxcc

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"carrel/guest/zencode"
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
	// Keep, if set, is given what a receipt names: see runner.Spec.
	Keep func(digest string, content []byte) error
}

// Machine runs jobs on the machine: the result depends on nothing but the job and a
// seed that is drawn for it.
type Machine struct {
	options MachineOptions
	running chan struct{} // has a place for each job that runs
	wanted  chan zencode.Input
	closing chan struct{}
	done    chan struct{}

	mu    sync.Mutex
	ready []prepared
}

// A prepared run, and what for.
type prepared struct {
	shape zencode.Input
	run   *zencode.Prepared
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
	m := &Machine{options: options, running: make(chan struct{}, options.Running), wanted: make(chan zencode.Input, max(1, options.Prepared)), closing: make(chan struct{}), done: make(chan struct{})}
	go m.prepare()
	return m
}

// seedBytes is the size of the seed of a job.
const seedBytes = 32

// shape is a job without its texts, or with texts that say that there are some.
func (m *Machine) shape(job *Job) zencode.Input {
	limits := m.options.Limits
	if job.MemoryBytes > 0 {
		limits.MemoryPages = uint32(min(uint64(limits.MemoryPages), job.MemoryBytes>>16))
	}
	some := []byte("{}")
	return zencode.Input{Lua: job.Lua, Conf: job.Conf, Keys: some, Data: some, Extra: some, Context: some, Limits: limits}
}

// same reports whether a run that was prepared for the one will do for the other.
func same(a, b *zencode.Input) bool {
	return a.Lua == b.Lua && a.Conf == b.Conf && a.Limits == b.Limits
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
	defer m.want(&shape)
	on := m.take(&shape)
	defer on.close()
	var stdout, stderr bytes.Buffer
	t, err := runner.Run(ctx, nil, &runner.Spec{
		Program: m.options.Wasm, Args: []string{"worker"}, Start: uint64(max(0, job.Now.UnixNano())), Seed: on.seed, Limits: shape.Limits,
		Stdout: &stdout, Stderr: &stderr, Keep: m.options.Keep,
		Zencode: &runner.Zencode{
			Lua: job.Lua, Script: job.Script, Glue: m.options.Glue, Conf: []byte(job.Conf),
			Keys: job.Keys, Data: job.Data, Extra: job.Extra, Context: job.Context,
			Secrets: salted(job.Secrets), SecretLimits: job.SecretLimits,
			Caps: zencode.Caps{Output: job.StdoutMax, Log: job.StderrMax}, Engine: on,
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

// salted are secrets, each with a salt of its own.
func salted(secrets map[string][]byte) map[string]runner.Secret {
	all := map[string]runner.Secret{}
	for name, content := range secrets {
		s := runner.Secret{Content: content}
		_, _ = rand.Read(s.Salt[:]) // which never fails
		all[name] = s
	}
	return all
}

// An instance is what runs one job: prepared for it, or made for it.
type instance struct {
	engine *zencode.Engine
	run    *zencode.Prepared // nil if it was not prepared, or is used up
	seed   []byte
}

// Run is of runner.Zencode.
func (i *instance) Run(ctx context.Context, input *zencode.Input) (*zencode.Result, error) {
	if i.run == nil || !i.run.Fits(input) {
		return i.engine.Run(ctx, input)
	}
	run := i.run
	i.run = nil
	return run.Run(ctx, input)
}

func (i *instance) close() {
	if i.run != nil {
		_ = i.run.Close() // nothing came of it
	}
}

// take takes a prepared run if there is one, the oldest first.
func (m *Machine) take(shape *zencode.Input) *instance {
	m.mu.Lock()
	defer m.mu.Unlock()
	for n, p := range m.ready {
		if same(&p.shape, shape) {
			m.ready = slices.Delete(m.ready, n, n+1)
			return &instance{m.options.Engine, p.run, p.shape.Seed}
		}
	}
	return &instance{engine: m.options.Engine, seed: m.options.Seed()}
}

func seed() []byte {
	b := make([]byte, seedBytes)
	_, _ = rand.Read(b) // which never fails
	return b
}

// Expect has a run prepared.
func (m *Machine) Expect(job *Job) {
	shape := m.shape(job)
	m.want(&shape)
}

// want asks for a run to be prepared, unless enough are asked for already.
func (m *Machine) want(shape *zencode.Input) {
	select {
	case m.wanted <- *shape:
	default:
	}
}

// preparePause is how long what a job answered has to leave before the processor is
// taken for the next.
const preparePause = 2 * time.Millisecond

// prepare prepares runs, one after the other, until the machine is closed.
func (m *Machine) prepare() {
	defer close(m.done)
	for {
		select {
		case <-m.closing:
			return
		case shape := <-m.wanted:
			if m.options.Prepared > 0 {
				time.Sleep(preparePause)
				m.prepareOne(shape)
			}
		}
	}
}

// prepareOne prepares a run. What it fails by the job itself will tell.
func (m *Machine) prepareOne(shape zencode.Input) {
	shape.Seed = m.options.Seed()
	run, err := m.options.Engine.Prepare(&shape)
	if err != nil {
		return
	}
	select {
	case <-run.Ready():
		m.keep(prepared{shape, run})
	case <-run.Ended():
		_ = run.Close()
	}
}

// keep adds a run to those that are ready, in the place of the oldest if there are
// too many.
func (m *Machine) keep(p prepared) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ready = append(m.ready, p)
	if len(m.ready) > m.options.Prepared {
		_ = m.ready[0].run.Close()
		m.ready = slices.Delete(m.ready, 0, 1)
	}
}

// Close ends what is prepared and closes the engine. No job may be under way.
func (m *Machine) Close() error {
	close(m.closing)
	<-m.done
	for _, p := range m.ready {
		_ = p.run.Close()
	}
	return m.options.Engine.Close()
}
