package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"carrel/machine"
	"carrel/machine/image"
	"carrel/machine/machinetest/wasmgen"
	memory "carrel/machine/page"
	"carrel/turn"
)

const (
	imageTurns = 200  // of which the median is taken
	imagesLive = 1000 // instances of one image at once
)

// heaps are the sizes of memory that images are measured with, in MiB; changes
// are how many pages a turn changes.
var (
	heaps   = []int{1, 16, 64, 256}
	changes = []int{1, 16, 128, 1024}
)

// toucher is a program whose fill(size) writes to every page of memory, and
// whose touch(stride, pages, value) to a byte of some.
func toucher(mib int) []byte {
	m := wasmgen.NewModule()
	i32 := wasmgen.I32
	m.Memory(uint64(mib)*16, uint64(mib)*16)
	m.Global(i32, true, wasmgen.Const("i32.const 7"))
	fill := m.Func(wasmgen.Types(i32), nil)
	at := strconv.FormatInt(fill.Local(i32), 10)
	fill.Code("loop; local.get " + at + "; local.get " + at + "; i32.const 12; i32.shr_u; i32.const 1; i32.add; i32.store 64" +
		"; local.get " + at + "; i32.const 4096; i32.add; local.tee " + at + "; local.get 0; i32.lt_u; br_if 0; end")
	m.Export("fill", fill)
	touch := m.Func(wasmgen.Types(i32, i32, i32), nil)
	at = strconv.FormatInt(touch.Local(i32), 10)
	touch.Code("loop; local.get " + at + "; local.get 2; i32.store8 128" +
		"; local.get " + at + "; local.get 0; i32.add; local.set " + at +
		"; local.get 1; i32.const 1; i32.sub; local.tee 1; br_if 0; end")
	m.Export("touch", touch)
	return m.Bytes()
}

// images measures what images cost.
func (o *options) images(ctx context.Context, p *page, engines []machine.Engine) error {
	if !o.only.MatchString("images") {
		return nil
	}
	var rows []imageRow
	for _, engine := range engines {
		for _, mib := range heaps {
			row, err := measureImages(ctx, engine, mib)
			if err != nil {
				return fmt.Errorf("images of %d MiB on %s: %w", mib, engine.Name(), err)
			}
			rows = append(rows, row)
		}
	}
	var lives []imageFigure
	for _, engine := range engines {
		bytes, err := liveInstances(ctx, engine, 64, 16)
		if err != nil {
			return fmt.Errorf("%d instances on %s: %w", imagesLive, engine.Name(), err)
		}
		lives = append(lives, imageFigure{engine.Name(), bytes})
	}
	p.images(rows, lives)
	return nil
}

type imageFigure struct {
	engine string
	bytes  int // for each instance, beside the pages that it changed
}

// An imageRow is one engine with one size of memory.
type imageRow struct {
	engine       string
	mib          int
	first, start time.Duration // the first image; a new instance of it, with a call, and its end
	copied       time.Duration // a new instance by copying all of memory, as the engines' own interfaces have it
	turns        []imageTurn
}

type imageTurn struct {
	pages    int
	run      time.Duration // the call itself, with the faults of the first writes
	commit   time.Duration // find, compare, charge, keep, hash
	delta    time.Duration
	size     int // of the delta
	rollback time.Duration
}

func measureImages(ctx context.Context, engine machine.Engine, mib int) (imageRow, error) {
	row := imageRow{engine: engine.Name(), mib: mib}
	program, err := machine.Load(ctx, engine, toucher(mib))
	if err != nil {
		return row, err
	}
	defer program.Close()
	limits := turn.Limits{Fuel: 1 << 50, MemoryPages: uint32(mib) * 16}
	begin, err := program.Instantiate(limits, nil)
	if err != nil {
		return row, err
	}
	defer begin.Close()
	if _, err := begin.Call("fill", uint64(mib)<<20); err != nil {
		return row, err
	}
	start := time.Now()
	first, err := begin.Commit(nil)
	if err != nil {
		return row, err
	}
	first.Root()
	row.first = time.Since(start)
	content := append([]byte(nil), begin.Memory()...)

	var starts, copies []time.Duration
	for range imageTurns {
		start := time.Now()
		i, err := program.Restore(first, limits, nil)
		if err != nil {
			return row, err
		}
		if _, err := i.Call("touch", 4096, 1, 99); err != nil {
			return row, err
		}
		if err := i.Close(); err != nil {
			return row, err
		}
		starts = append(starts, time.Since(start))
	}
	for range 5 {
		start := time.Now()
		i, err := program.Instantiate(limits, nil)
		if err != nil {
			return row, err
		}
		copy(i.Memory(), content)
		if _, err := i.Call("touch", 4096, 1, 99); err != nil {
			return row, err
		}
		if err := i.Close(); err != nil {
			return row, err
		}
		copies = append(copies, time.Since(start))
	}
	row.start, row.copied = median(starts), median(copies)
	for _, pages := range changes {
		if pages > mib*256 {
			continue
		}
		t, err := measureTurns(program, first, limits, mib, pages)
		if err != nil {
			return row, err
		}
		row.turns = append(row.turns, t)
	}
	return row, nil
}

// measureTurns is what turns cost that change so many pages, on an instance
// that lives on.
func measureTurns(program *machine.Program, first *image.Image, limits turn.Limits, mib, pages int) (imageTurn, error) {
	t := imageTurn{pages: pages}
	i, err := program.Restore(first, limits, nil)
	if err != nil {
		return t, err
	}
	defer i.Close()
	stride := uint64(mib) << 20 / uint64(pages) / memory.Size * memory.Size
	before := first
	var runs, commits, deltas, rollbacks []time.Duration
	call := func(n int) error {
		if err := i.Begin(limits); err != nil {
			return err
		}
		_, err := i.Call("touch", stride, uint64(pages), uint64(n%251+1))
		return err
	}
	for n := range imageTurns {
		start := time.Now()
		if err := call(n); err != nil {
			return t, err
		}
		ran := time.Now()
		if outcome := i.Outcome(nil); outcome.Class != turn.Exit {
			return t, fmt.Errorf("ended as %v", outcome.Class)
		}
		after, err := i.Commit(nil)
		if err != nil {
			return t, err
		}
		after.Root()
		committed := time.Now()
		delta, err := image.Diff(before, after)
		if err != nil {
			return t, err
		}
		t.size = len(delta.Append(nil))
		done := time.Now()
		if delta.Pages() != pages {
			return t, fmt.Errorf("%d pages differ, not %d", delta.Pages(), pages)
		}
		before = after
		runs, commits, deltas = append(runs, ran.Sub(start)), append(commits, committed.Sub(ran)), append(deltas, done.Sub(committed))
	}
	for n := range imageTurns {
		if err := call(n); err != nil {
			return t, err
		}
		start := time.Now()
		if err := i.Rollback(); err != nil {
			return t, err
		}
		rollbacks = append(rollbacks, time.Since(start))
	}
	t.run, t.commit, t.delta, t.rollback = median(runs), median(commits), median(deltas), median(rollbacks)
	return t, nil
}

// liveInstances is what an instance costs of many that live at once, in bytes,
// beside the pages that it changed.
func liveInstances(ctx context.Context, engine machine.Engine, mib, pages int) (int, error) {
	program, err := machine.Load(ctx, engine, toucher(mib))
	if err != nil {
		return 0, err
	}
	defer program.Close()
	limits := turn.Limits{Fuel: 1 << 50, MemoryPages: uint32(mib) * 16}
	begin, err := program.Instantiate(limits, nil)
	if err != nil {
		return 0, err
	}
	defer begin.Close()
	if _, err := begin.Call("fill", uint64(mib)<<20); err != nil {
		return 0, err
	}
	img, err := begin.Commit(nil)
	if err != nil {
		return 0, err
	}
	debug.FreeOSMemory()
	before, err := privateBytes()
	if err != nil {
		return 0, err
	}
	live := make([]*machine.Instance, imagesLive)
	for n := range live {
		if live[n], err = program.Restore(img, limits, nil); err != nil {
			return 0, err
		}
		if _, err := live[n].Call("touch", memory.Size, uint64(pages), uint64(n%255+1)); err != nil {
			return 0, err
		}
	}
	runtime.GC()
	after, err := privateBytes()
	if err != nil {
		return 0, err
	}
	for _, i := range live {
		if err := i.Close(); err != nil {
			return 0, err
		}
	}
	return (after-before)/imagesLive - pages*memory.Size, nil
}

// privateBytes is what memory this process has for itself, page tables
// included.
func privateBytes() (int, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	sum := 0
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		if name == "RssAnon" || name == "VmPTE" {
			kb, err := strconv.Atoi(strings.Fields(value)[0])
			if err != nil {
				return 0, err
			}
			sum += kb << 10
		}
	}
	return sum, nil
}
