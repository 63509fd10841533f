package machine

import (
	"errors"
	"fmt"

	"carrel/machine/image"
	"carrel/machine/meter"
	"carrel/machine/page"
	"carrel/program/seal"
	"carrel/turn"
)

var (
	// ErrNotImageable reports a program whose state an image cannot hold.
	ErrNotImageable = errors.New("program is not imageable")
	// ErrImage reports an image that is not of the program it is to go on with.
	ErrImage = errors.New("image does not fit the program")
	// ErrNotAtRest reports that an instance has frames on its stack, or that it
	// ended in a fault: it can be rolled back.
	ErrNotAtRest = errors.New("instance is not at rest")
)

// Imageable reports why an instance of the program cannot be stopped and kept
// between calls: an ErrNotImageable that names the first instruction, or nil.
func (p *Program) Imageable() error {
	if reasons := p.Module.NotImageable; len(reasons) > 0 {
		r := reasons[0]
		return fmt.Errorf("%w: %s in function %d, at byte %d, %s", ErrNotImageable, r.Instruction, r.Function, r.Offset, r.Text)
	}
	return nil
}

// Restore makes an instance that goes on from an image: copy-on-write, so that
// its cost is that of what it changes. Nothing of the guest runs, and nothing is
// charged. Errors: ErrImage, ErrNotImageable, and as of Instantiate.
//
// An image whose content is still being verified may be given: no answer of the
// instance leaves before that is done.
func (p *Program) Restore(img *image.Image, limits turn.Limits, imports Imports) (*Instance, error) {
	if err := p.Imageable(); err != nil {
		return nil, err
	}
	if err := p.fits(img); err != nil {
		return nil, err
	}
	i, err := p.instantiate(img, limits, imports)
	if err == nil && !img.Verified() {
		i.unverified = img
		go img.Verify()
	}
	return i, err
}

func (p *Program) fits(img *image.Image) error {
	size := uint64(0)
	if img.Memory != nil {
		size = img.Memory.Bytes()
	}
	switch memory := p.Module.Memory; {
	case memory == nil && size > 0:
		return fmt.Errorf("%w: it has memory and the program has none", ErrImage)
	case memory != nil && (size%(64<<10) != 0 || size>>16 < uint64(memory.Min) || size>>16 > uint64(memory.Max)):
		return fmt.Errorf("%w: a memory of %d bytes; the program's has from %d to %d pages of 64 KiB", ErrImage, size, memory.Min, memory.Max)
	}
	n := 0
	for _, g := range p.Module.Globals {
		for range g.Exports {
			if n == len(img.Globals) {
				return fmt.Errorf("%w: it has %d globals, which is too few", ErrImage, n)
			}
			if bits := img.Globals[n]; (g.Type == meter.I32 || g.Type == meter.F32) && bits>>32 != 0 {
				return fmt.Errorf("%w: global %d is %#x, and its type is %v", ErrImage, n, bits, g.Type)
			}
			n++
		}
	}
	if n != len(img.Globals) {
		return fmt.Errorf("%w: it has %d globals, the program %d", ErrImage, len(img.Globals), n)
	}
	return nil
}

// verify waits until the image that the instance started from is known to be
// good. The error is a worker fault: this host's storage is bad.
func (i *Instance) verify() error {
	if i.unverified == nil {
		return nil
	}
	if err := i.unverified.Verify(); err != nil {
		return &Fault{Class: turn.Worker, Text: err.Error()}
	}
	i.unverified = nil
	return nil
}

// Begin begins another turn, with limits of its own, of an instance that is at
// rest: its last call returned, or it exited. Errors: ErrNotAtRest, and a
// *meter.Refusal as of Instantiate.
func (i *Instance) Begin(limits turn.Limits) error {
	if err := i.atRest(); err != nil {
		return err
	}
	if err := i.limit(limits); err != nil {
		return err
	}
	i.stop.Store(false)
	if i.dead != nil { // after an exit a cell cannot be entered again
		return i.renew(&image.Image{Globals: i.globals()})
	}
	i.ready()
	return nil
}

// Commit makes an image of the instance at rest, and what Rollback goes back to.
// host is the host region: what the personality must remember. The cost follows
// the pages that were changed since the last commit. Errors: ErrNotAtRest,
// ErrNotImageable, page.ErrNoMemory, and a *Fault if the explicit steps of
// instantiation were still to do and failed.
func (i *Instance) Commit(host []byte) (*image.Image, error) {
	if err := i.program.Imageable(); err != nil {
		return nil, err
	}
	if err := i.atRest(); err != nil {
		return nil, err
	}
	if err := i.begin(); err != nil {
		return nil, err
	}
	if err := i.verify(); err != nil {
		return nil, err
	}
	img := &image.Image{Globals: i.globals(), Host: host}
	if i.memory != nil {
		pages, err := i.memory.CommitChanged(i.changedPages())
		if err != nil {
			return nil, fmt.Errorf("commit: %w", err)
		}
		img.Memory = pages
	}
	i.committed, i.changed = img, nil
	return img, nil
}

// Rollback makes the instance what it was at its last commit, or what it was
// made as, whatever happened since; and gives it the whole of its limits again.
// The cost follows the pages that were changed. After an error the instance is
// only good for Close. Errors: ErrNotAtRest if it is called from within a call;
// page.ErrNoMemory.
func (i *Instance) Rollback() error {
	if i.entries > 0 {
		return ErrNotAtRest
	}
	size := len(i.Memory())
	i.settled = false
	if i.memory != nil {
		if err := i.memory.Rollback(); err != nil {
			return fmt.Errorf("roll back: %w", err)
		}
	}
	dead := i.dead
	i.left, i.dead = i.limits.Fuel, nil
	i.stop.Store(false)
	if dead != nil || i.committed == nil || len(i.Memory()) != size {
		return i.renew(i.committed)
	}
	i.setGlobals(i.committed.Globals)
	i.ready()
	return nil
}

// atRest reports why no image can be taken, if so.
func (i *Instance) atRest() error {
	if i.entries > 0 {
		return fmt.Errorf("%w: a call is under way", ErrNotAtRest)
	}
	if i.dead != nil && i.dead.Class != turn.Exit {
		return fmt.Errorf("%w: it ended with %w", ErrNotAtRest, i.dead)
	}
	return nil
}

// renew gives the instance a new cell over its memory, with the globals of an
// image; nil for a program that begins.
func (i *Instance) renew(from *image.Image) error {
	if i.cell != nil {
		if err := i.cell.Close(); err != nil {
			return err
		}
	}
	cell, err := i.program.code.Instantiate(i, i.memory)
	if err != nil {
		return err
	}
	i.cell, i.dead, i.begun = cell, nil, from != nil
	if from != nil {
		if i.program.Module.HasTables { // they are what they were, and are paid for
			i.setCounter(meter.NewCounter(tablesFuel, 0))
			if err := cell.Invoke(meter.TablesExport, nil); err != nil {
				if trap := (*Trap)(nil); errors.As(err, &trap) && trap.Class.Result() {
					return fmt.Errorf("%w: the program fails before it begins, and so has none (%v)", ErrImage, trap.Class)
				}
				return fmt.Errorf("fill tables: %w", err)
			}
		}
		i.setGlobals(from.Globals)
	}
	i.ready()
	return nil
}

// tablesFuel is more than filling tables ever costs.
const tablesFuel = 1 << 40

// ready gives the guest what it counts with, at the beginning of a turn.
func (i *Instance) ready() {
	if memory := i.program.Module.Memory; memory != nil {
		i.cell.SetGlobal(meter.PagesGlobal, uint64(min(i.limits.MemoryPages, memory.Max)))
	}
	i.setCounter(i.slice(0) + meter.NewCounter(0, i.program.Module.Headroom))
	i.trace = nil
}

// globals are the program's mutable globals, as an image has them.
func (i *Instance) globals() (bits []uint64) {
	for _, g := range i.program.Module.Globals {
		for _, export := range g.Exports {
			bits = append(bits, i.cell.Global(export))
		}
	}
	return bits
}

func (i *Instance) setGlobals(bits []uint64) {
	for _, g := range i.program.Module.Globals {
		for _, export := range g.Exports {
			i.cell.SetGlobal(export, bits[0])
			bits = bits[1:]
		}
	}
}

// changedPages are those that differ from the image before. They are looked for
// once as long as the guest does not run.
func (i *Instance) changedPages() []int {
	if i.memory != nil && !i.settled {
		i.changed, i.settled = i.memory.Changed(), true
	}
	return i.changed
}

// Root is the root of the image that Commit would make, without keeping what is
// in it. A program that is not imageable has one too: it is of its memory and
// numeric globals.
func (i *Instance) Root(host []byte) string {
	tree := page.Empty().Hash()
	if i.memory != nil {
		tree = i.memory.Hash()
	}
	return seal.Digest(page.Root(uint64(len(i.Memory())), tree, i.globals(), host)).String()
}
