package zencode

import (
	"context"
	"crypto/sha256"
	"errors"
	"math/bits"
	"slices"
	"strings"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

// Most of what a run costs is Zenroom's beginning: it loads its Lua files, before it
// looks at what it was handed. So the texts are put into its memory when that is
// done, and a run can be prepared before they are known: it waits there.

// begun is, by the SHA-256 of npm's JavaScript, at which call of invoke_vii an engine
// has begun: then it reads its texts. Of other engines nothing is known, and texts are
// there from the beginning.
var begun = map[[sha256.Size]byte]int{
	{0x1b, 0xb8, 0xda, 0xec, 0x7a, 0xf1, 0x0f, 0x0a, 0xf0, 0xa6, 0x0e, 0x24, 0xe9, 0x81, 0x7a, 0x01,
		0x6c, 0xeb, 0xb8, 0x96, 0x25, 0xcb, 0x11, 0xd8, 0xf7, 0x7a, 0x19, 0xa3, 0x8c, 0x7a, 0x12, 0xca}: 127, // 5.38.1
}

const (
	// roomBytes is what each text has in memory at least.
	roomBytes = 64 << 10
	// placeholder stands there until the texts come.
	placeholder = "#"
)

// usual reports whether a conf leaves the beginning as it is: all but logfmt=text and
// scope=given do, and of what is not known here nothing is known.
func usual(conf string) bool {
	for _, setting := range strings.Split(conf, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(setting), "=")
		switch {
		case strings.Trim(value, "0123456789") == "" && slices.Contains([]string{"", "debug", "verbose"}, name),
			strings.Trim(strings.TrimPrefix(value, "hex:"), "0123456789abcdefABCDEF") == "" && name == "rngseed",
			strings.Trim(strings.TrimPrefix(value, "dec:"), "0123456789") == "" && slices.Contains([]string{"maxiter", "maxmem", "memblocknum", "memblocksize"}, name),
			name == "scope" && value == "full", name == "logfmt" && value == "json":
		default:
			return false
		}
	}
	return true
}

// room is how much memory a text is given, with a zero after it: the same for all that
// are not large, since a run is prepared before they are known.
func room(text []byte) uint32 {
	return max(roomBytes, uint32(1)<<bits.Len(uint(len(text))))
}

var invokeName = [2]string{meter.InvokeModule, "invoke_vii"}

// invoke is the machine's, and counts.
func invoke(of machine.Imports) machine.HostImport {
	found, _ := of.Find(invokeName[0], invokeName[1])
	call := found.Call
	found.Call = func(i *machine.Instance, stack []uint64) error {
		r := i.Guest.(*run)
		if r.invokes++; r.invokes == r.engine.begun && !r.early {
			if err := r.fill(); err != nil {
				return err
			}
		}
		return call(i, stack)
	}
	return found
}

// fill waits for the texts and puts them where they belong.
func (r *run) fill() error {
	input, err := r.await()
	if err != nil {
		return err
	}
	r.now += input.Now
	r.caps = input.Caps
	for n, text := range input.texts() {
		if r.rooms[n].size == 0 {
			continue
		}
		if err := r.put(r.rooms[n].at, text); err != nil {
			return err
		}
	}
	if err := r.print(nil); err != nil { // over its cap already
		return err
	}
	return r.logs(nil)
}

// A Prepared is a run that waits for its script. It holds the memory of an instance.
type Prepared struct {
	shape Input
	run   *run
	texts chan *Input
	gone  chan struct{}
	ready chan struct{}
	ended chan struct{}
	err   error // how it ended
}

// ErrShape reports an input that a Prepared was not prepared for.
var ErrShape = errors.New("the run was prepared for an input of another shape")

// Prepare begins a run. Of the input's texts it matters only which there are; its clock
// and caps do not matter. One whose texts must be there from the beginning is ErrShape. It is
// to be ended by Run or Close.
func (e *Engine) Prepare(input *Input) (*Prepared, error) {
	p := &Prepared{shape: *input, texts: make(chan *Input, 1), gone: make(chan struct{}), ready: make(chan struct{}), ended: make(chan struct{})}
	for n, text := range p.shape.pointers() {
		if n == 0 || len(*text) > 0 {
			*text = []byte(placeholder)
		}
	}
	var err error
	if p.run, err = e.begin(&p.shape); err != nil {
		return nil, err
	}
	if p.run.early {
		return nil, errors.Join(ErrShape, p.run.instance.Close())
	}
	p.run.await = func() (*Input, error) {
		close(p.ready)
		select {
		case input := <-p.texts:
			return input, nil
		case <-p.gone:
			return nil, errGone
		}
	}
	go func() { p.err = p.run.execute(); close(p.ended) }()
	return p, nil
}

func (i *Input) pointers() [5]*[]byte {
	return [...]*[]byte{&i.Script, &i.Keys, &i.Data, &i.Extra, &i.Context}
}

var errGone error = &machine.Fault{Class: turn.Stopped, Text: "nobody wants the run"}

// Ready is closed when the run waits for its script; never, if it ended before that.
func (p *Prepared) Ready() <-chan struct{} { return p.ready }

// Ended is closed when the run has ended. It is still to be ended by Run or Close.
func (p *Prepared) Ended() <-chan struct{} { return p.ended }

// Fits reports whether the result of Run will be that of an input.
func (p *Prepared) Fits(input *Input) bool {
	shape := &p.shape
	if shape.Lua != input.Lua || shape.conf() != input.conf() || shape.Limits != input.Limits ||
		len(input.Script) == 0 || input.Script[0] == 0 {
		return false
	}
	have := shape.texts()
	for n, text := range input.texts() {
		if (len(text) > 0) != (len(have[n]) > 0) || room(text) != roomBytes {
			return false
		}
	}
	return true
}

// Run is Engine.Run, of which the beginning is done. The seed is the one that the run
// was prepared with. An input that does not fit is ErrShape, and ends the run.
func (p *Prepared) Run(ctx context.Context, input *Input) (*Result, error) {
	if !p.Fits(input) {
		return nil, errors.Join(ErrShape, p.Close())
	}
	defer context.AfterFunc(ctx, p.run.instance.Stop)()
	p.texts <- input
	return p.finish()
}

// Close ends a run that nobody wants.
func (p *Prepared) Close() error {
	close(p.gone)
	p.run.instance.Stop()
	_, err := p.finish()
	return err
}

func (p *Prepared) finish() (*Result, error) {
	<-p.ended
	return p.run.finish(p.err)
}
