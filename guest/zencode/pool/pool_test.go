package pool_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/guest/zencode"
	"carrel/guest/zencode/pool"
	"carrel/machine"
	"carrel/machine/engines"
	"carrel/turn"
)

var limits = turn.Limits{Fuel: 10_000_000_000, MemoryPages: 2048}

var engine = sync.OnceValues(func() (*zencode.Engine, error) {
	glue, err := os.ReadFile("../../../.cache/programs/zenroom.js")
	if err != nil {
		return nil, fmt.Errorf("%w: run make programs", err)
	}
	on, err := engines.Open(engines.Auto)
	if err != nil {
		return nil, err
	}
	return zencode.Load(context.Background(), glue, func(ctx context.Context, wasm []byte) (*machine.Program, error) {
		return machine.Load(ctx, on, wasm)
	})
})

// newPool makes a pool whose runs have the seeds 1, 2, and so on.
func newPool(t testing.TB, runs int) *pool.Pool {
	t.Helper()
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	var drawn atomic.Uint32
	p := pool.New(pool.Options{Engine: e, Runs: runs, Seed: func() []byte { return []byte{byte(drawn.Add(1))} }})
	t.Cleanup(p.Close)
	return p
}

const hello = "Given nothing\nThen print the string 'hello'\n"

func input(script string) *zencode.Input {
	return &zencode.Input{Script: []byte(script), Data: []byte("{}"), Limits: limits, Seed: []byte("of nobody")}
}

// await waits until so many runs are ready, for an input if there are fewer.
func await(p *pool.Pool, n int, like *zencode.Input) {
	for p.Waiting() < n {
		p.Expect(like)
		time.Sleep(time.Millisecond)
	}
}

// TestSame has what was prepared be what was not.
func TestSame(t *testing.T) {
	e, err := engine()
	if err != nil {
		t.Fatal(err)
	}
	random := &zencode.Input{Lua: true, Script: []byte("print(OCTET.random(8):hex(), DATA, KEYS)"), Data: []byte(`{"a":1}`), Limits: limits}
	for _, runs := range []int{0, 2} {
		p := newPool(t, runs)
		for n := range 4 {
			await(p, runs, random)
			i := p.Take(random)
			want := *random
			want.Seed = i.Seed
			expected, err := e.Run(context.Background(), &want)
			if err != nil {
				t.Fatal(err)
			}
			got, err := i.Run(context.Background(), random)
			i.Close()
			if err != nil || string(got.Output) != string(expected.Output) || got.Fuel != expected.Fuel {
				t.Errorf("%d prepared, run %d: %s (%d), want %s (%d), %v", runs, n, got.Output, got.Fuel, expected.Output, expected.Fuel, err)
			}
		}
	}
}

// TestShapes has runs of several shapes, of which the newest are kept.
func TestShapes(t *testing.T) {
	p := newPool(t, 2)
	shapes := []*zencode.Input{input(hello), input(hello), input(hello), input(hello)}
	shapes[1].Conf = "debug=0"
	shapes[2].Keys = []byte(`{}`)
	shapes[3].Lua, shapes[3].Script = true, []byte("print('hello')")
	for range 3 {
		for n, shape := range shapes {
			got, err := p.Run(context.Background(), shape)
			if err != nil || got.Class != turn.Exit || got.Code != 0 {
				t.Errorf("shape %d: %v, %v", n, got, err)
			}
		}
	}
	await(p, 2, shapes[0])
}

// TestBad has inputs that cannot be prepared for, and instances that are not used.
func TestBad(t *testing.T) {
	p := newPool(t, 1)
	little := input(hello)
	little.Limits.MemoryPages = 1
	p.Expect(little)
	got, err := p.Run(context.Background(), little)
	if err == nil || !strings.Contains(err.Error(), "needs 8192 KiB of memory to start") {
		t.Errorf("with little memory: %+v, %v", got, err)
	}
	await(p, 1, input(hello))
	p.Take(input(hello)).Close()
	await(p, 1, input(hello))
	large := input(hello + "# " + fmt.Sprintf("%0100000d", 0))
	if got, err := p.Run(context.Background(), large); err != nil || got.Code != 0 {
		t.Errorf("a large script: %+v, %v", got, err)
	}
}

// TestMany has many at once.
func TestMany(t *testing.T) {
	p := newPool(t, 4)
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			got, err := p.Run(context.Background(), input(hello))
			if err != nil || string(got.Output) != "{\"output\":[\"hello\"]}\n" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
}

// BenchmarkRun is a hello with runs that were prepared, and without. With them it is
// what a client waits for: they are prepared in the time between.
func BenchmarkRun(b *testing.B) {
	for _, runs := range []int{0, 1} {
		b.Run(fmt.Sprintf("%d prepared", runs), func(b *testing.B) {
			p := newPool(b, runs)
			for b.Loop() {
				b.StopTimer()
				await(p, runs, input(hello))
				b.StartTimer()
				if got, err := p.Run(context.Background(), input(hello)); err != nil || got.Code != 0 {
					b.Fatal(got, err)
				}
			}
		})
	}
}
