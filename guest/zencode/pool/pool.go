// Package pool keeps runs of Zencode prepared, ahead of the inputs that they will
// have: what is left of a small script then takes a tenth of the time.
package pool

import (
	"context"
	"slices"
	"sync"

	"carrel/guest/zencode"
)

// Options say what a Pool may keep.
type Options struct {
	Engine *zencode.Engine
	Runs   int           // that wait at most, each with the memory of an instance; 0 is none
	Seed   func() []byte // draws the seed of a run
	// Pause, if set, is called before a run is prepared: it waits until the processor
	// has nothing better to do.
	Pause func()
}

// A Pool keeps runs prepared. It is safe for concurrent use.
type Pool struct {
	options Options
	wanted  chan zencode.Input // shapes
	closing chan struct{}
	done    chan struct{}

	mu    sync.Mutex
	ready []waiting // the oldest first
}

// A waiting run, and for what.
type waiting struct {
	shape zencode.Input
	run   *zencode.Prepared
}

// New makes a Pool. The engine stays the caller's.
func New(options Options) *Pool {
	p := &Pool{options: options, wanted: make(chan zencode.Input, max(1, options.Runs)), closing: make(chan struct{}), done: make(chan struct{})}
	go p.prepare()
	return p
}

// shape is an input without what a run is not prepared for.
func shape(input *zencode.Input) zencode.Input {
	s := zencode.Input{Lua: input.Lua, Conf: input.Conf, Limits: input.Limits}
	for _, text := range []struct {
		from []byte
		to   *[]byte
	}{{input.Data, &s.Data}, {input.Keys, &s.Keys}, {input.Extra, &s.Extra}, {input.Context, &s.Context}} {
		if len(text.from) > 0 {
			*text.to = some
		}
	}
	return s
}

// some is a text of a shape.
var some = []byte("{}")

// same reports whether a run that was prepared for one shape will do for another.
func same(a, b *zencode.Input) bool {
	return a.Lua == b.Lua && a.Conf == b.Conf && a.Limits == b.Limits &&
		len(a.Data) == len(b.Data) && len(a.Keys) == len(b.Keys) && len(a.Extra) == len(b.Extra) && len(a.Context) == len(b.Context)
}

// An Instance is what runs one input: prepared for it, or made for it.
type Instance struct {
	Seed []byte // that its run has, whatever the input says

	pool  *Pool
	shape zencode.Input
	run   *zencode.Prepared // nil if there is none, or it is used up
}

// Take gives what runs an input of a shape: of the texts it matters which there are.
// It is to be closed.
func (p *Pool) Take(like *zencode.Input) *Instance {
	i := &Instance{pool: p, shape: shape(like)}
	p.mu.Lock()
	defer p.mu.Unlock()
	n := slices.IndexFunc(p.ready, func(w waiting) bool { return same(&w.shape, &i.shape) })
	if n < 0 {
		i.Seed = p.options.Seed()
		return i
	}
	i.Seed, i.run = p.ready[n].shape.Seed, p.ready[n].run
	p.ready = slices.Delete(p.ready, n, n+1)
	return i
}

// Run is Engine.Run of the input with the instance's seed.
func (i *Instance) Run(ctx context.Context, input *zencode.Input) (*zencode.Result, error) {
	seeded := *input
	seeded.Seed = i.Seed
	if run := i.run; run != nil && run.Fits(&seeded) {
		i.run = nil
		return run.Run(ctx, &seeded)
	}
	return i.pool.options.Engine.Run(ctx, &seeded)
}

// Close ends what was not used, and has another run prepared in its place.
func (i *Instance) Close() {
	if i.run != nil {
		_ = i.run.Close() // nothing came of it
	}
	i.pool.want(i.shape)
}

// Run is Engine.Run of the input with a seed that is drawn for it.
func (p *Pool) Run(ctx context.Context, input *zencode.Input) (*zencode.Result, error) {
	i := p.Take(input)
	defer i.Close()
	return i.Run(ctx, input)
}

// Expect has a run prepared for an input of a shape.
func (p *Pool) Expect(like *zencode.Input) { p.want(shape(like)) }

// want asks for a run, unless as many are asked for as may wait.
func (p *Pool) want(shape zencode.Input) {
	if p.options.Runs <= 0 {
		return
	}
	select {
	case p.wanted <- shape:
	default:
	}
}

// prepare prepares runs, one after the other, until the pool is closed.
func (p *Pool) prepare() {
	defer close(p.done)
	for {
		select {
		case <-p.closing:
			return
		case shape := <-p.wanted:
			if p.options.Pause != nil {
				p.options.Pause()
			}
			p.prepareOne(shape)
		}
	}
}

// prepareOne prepares a run. What it fails by, a run that is not prepared will tell.
func (p *Pool) prepareOne(shape zencode.Input) {
	shape.Seed = p.options.Seed()
	run, err := p.options.Engine.Prepare(&shape)
	if err != nil {
		return
	}
	select {
	case <-run.Ready():
		p.keep(waiting{shape, run})
	case <-run.Ended():
		_ = run.Close()
	}
}

// keep adds a run to those that are ready, in the place of the oldest if there are
// too many.
func (p *Pool) keep(w waiting) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, w)
	if len(p.ready) > p.options.Runs {
		_ = p.ready[0].run.Close()
		p.ready = slices.Delete(p.ready, 0, 1)
	}
}

// Waiting is how many runs are ready.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ready)
}

// Close ends what is prepared. No instance may be in use.
func (p *Pool) Close() {
	close(p.closing)
	<-p.done
	for _, w := range p.ready {
		_ = w.run.Close() // nothing came of it
	}
	p.ready = nil
}
