// Package zenexec is what zencode-exec and lua-exec of Zenroom's releases do, on
// Zenroom's wasm: a script and its inputs come on standard input as six lines (package
// guest/zencode/lines), the result goes to standard output and the log to standard
// error.
package zenexec

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"carrel/guest/zencode"
	"carrel/guest/zencode/lines"
	"carrel/home"
	"carrel/machine/engines"
	"carrel/npm/zenroom"
	"carrel/quantity"
	"carrel/turn"
	"carrel/worker/confine"
)

// A Program is one of the two.
type Program struct {
	Name string
	Lua  bool // its script is Lua
}

var (
	Zencode = Program{Name: "zencode-exec"}
	Lua     = Program{Name: "lua-exec", Lua: true}
)

// A Host is what a program has of the outside.
type Host struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
}

const (
	fuelDefault   = 1e12
	memoryDefault = 1 << 30
	// seedBytes is how much chance is drawn if the conf has none.
	seedBytes = 64
)

const usage = `usage: stream | %[1]s

%[1]s takes six lines: conf, and in base64 script, keys, data, extra, context.
It runs the script on %[2]s, which it fetches through npm when it is first
started, or takes from ZENROOM_CACHE_DIR. CARREL_HOME is where compiled code is
kept; CARREL_ENGINE, CARREL_FUEL and CARREL_MEMORY bound what a script may use.
`

// Main runs a program and gives its exit code: 0, or 1 for whatever went wrong.
func (p Program) Main(args []string, host Host) int {
	if len(args) > 0 {
		return p.explain(args, host)
	}
	if err := p.run(context.Background(), host); err != nil {
		if err != errFailed {
			fmt.Fprintln(host.Stderr, err)
		}
		return 1
	}
	return 0
}

// explain answers to arguments, of which there are none.
func (p Program) explain(args []string, host Host) int {
	var err error
	switch args[0] {
	case "--version":
		_, err = fmt.Fprintf(host.Stdout, "%s of carrel, with %s\n", p.Name, zenroom.Published)
	case "--help", "-h":
		_, err = fmt.Fprintf(host.Stdout, usage, p.Name, zenroom.Published)
	default:
		_, _ = fmt.Fprintf(host.Stderr, usage, p.Name, zenroom.Published)
		return 1
	}
	if err != nil {
		return 1
	}
	return 0
}

// What is refused, beside what package lines refuses.
var (
	errScript   = errors.New("zencode-exec error: script too short.")
	errLuaFirst = errors.New("zencode-exec error: the context is Lua, to be run before the script in the same state: on the wasm there is no way to do so. Put it into the script of lua-exec, or use a native zencode-exec.")
	// errFailed is of a script that has said itself why it failed.
	errFailed = errors.New("the script failed")
)

func (p Program) run(ctx context.Context, host Host) error {
	in, err := lines.Read(host.Stdin, lines.Large)
	switch {
	case err != nil:
		return err
	case len(in.Script) == 0:
		return errScript
	case !p.Lua && in.LuaFirst():
		return errLuaFirst
	}
	result, err := p.execute(ctx, in, host)
	if err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	_, err = host.Stdout.Write(result.Output)
	_, logErr := host.Stderr.Write(result.Log)
	if err := cmp.Or(err, logErr); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	switch {
	case result.Class == turn.Fuel:
		return fmt.Errorf("%s: out of fuel after %s units; CARREL_FUEL=N sets another limit", p.Name, quantity.FormatFuel(result.Fuel))
	case result.Class != turn.Exit:
		return fmt.Errorf("%s: stopped: %s: %s", p.Name, result.Class, result.Text)
	case result.Code != 0:
		return errFailed
	}
	return nil
}

// execute runs the script, with the time that it is and a seed that is drawn here.
func (p Program) execute(ctx context.Context, in *lines.Input, host Host) (*zencode.Result, error) {
	limits, err := findLimits()
	if err != nil {
		return nil, err
	}
	on, err := engines.Open(cmp.Or(os.Getenv("CARREL_ENGINE"), engines.Auto))
	if err != nil {
		return nil, fmt.Errorf("CARREL_ENGINE: %w", err)
	}
	defer on.Close()
	h, err := home.Find()
	if err != nil {
		return nil, err
	}
	engine, err := zenroom.Open(ctx, zenroom.Host{
		Tools: zenroom.Tools(h.Tools), Code: h.Code, Engine: on,
		Say: func(text string) { fmt.Fprintf(host.Stderr, "%s: %s\n", p.Name, text) },
	})
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	_ = confine.NoDump() // keys may be secrets; not everywhere can that be
	input := &zencode.Input{
		Lua: p.Lua, Script: in.Script, Conf: in.WithLog(), Keys: in.Keys, Data: in.Data, Extra: in.Extra, Context: in.Context,
		Seed: make([]byte, seedBytes), Now: uint64(host.Now().UnixNano()), Limits: limits,
	}
	_, _ = rand.Read(input.Seed) // which never fails
	return engine.Run(ctx, input)
}

// findLimits has what the environment says, or what carrel run has.
func findLimits() (turn.Limits, error) {
	limits := turn.Limits{Fuel: fuelDefault}
	memory := uint64(memoryDefault)
	var err error
	if asked := os.Getenv("CARREL_FUEL"); asked != "" {
		if limits.Fuel, err = quantity.Fuel(asked); err != nil {
			return limits, fmt.Errorf("CARREL_FUEL: %w", err)
		}
	}
	if asked := os.Getenv("CARREL_MEMORY"); asked != "" {
		if memory, err = quantity.Bytes(asked); err != nil {
			return limits, fmt.Errorf("CARREL_MEMORY: %w", err)
		}
	}
	if limits.MemoryPages, err = quantity.Pages(memory); err != nil {
		return limits, fmt.Errorf("CARREL_MEMORY: %w", err)
	}
	return limits, nil
}
