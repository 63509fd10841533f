// Package zencode runs Zencode and Lua on Zenroom's own engine: the WebAssembly of
// npm's zenroom (package npm/zenroom), under the machine's contract. Its files are in
// it, its clock is virtual, its chance comes from a seed: the same input gives the
// same result and the same fuel everywhere. Each run is a fresh instance.
//
// Zenroom is under the AGPL, and nothing of it is here.
package zencode

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"carrel/machine"
	"carrel/turn"
)

const (
	// Name is the name of this personality in receipts.
	Name = "zencode"
	// Version is the version of the host layer: every rule of this package.
	Version = 2

	// TextBytesMax bounds the script, and each of its inputs.
	TextBytesMax = 16 << 20
	// ResultBytesMax bounds what is printed, and the log.
	ResultBytesMax = 16 << 20
)

// An Input is all that a result depends on, beside the engine. Texts are UTF-8 and
// end before a zero byte, if there is one.
type Input struct {
	Lua                        bool // the script is Lua, not Zencode
	Script                     []byte
	Conf                       string // as Zenroom has it: "debug=0,rngseed=hex:…"
	Data, Keys, Extra, Context []byte // absent if empty

	// Seed, of any size, is where chance comes from if Conf has no rngseed, which it
	// gives then: SHA-512 of seedDomain and it.
	Seed []byte
	// Now is what clocks show when the script is read, in nanoseconds since 1970.
	// Each reading moves them on by a microsecond. Before that, while Zenroom begins,
	// it is 1970.
	Now    uint64
	Limits turn.Limits

	// Caps, if there are any, stop a run that prints or logs more. That is no result,
	// unless they are ResultBytesMax or more.
	Caps *Caps
}

// Caps bound what a host takes, in bytes.
type Caps struct{ Output, Log int }

// A Result is how a run ended.
type Result struct {
	turn.Outcome        // its code is 1 for a script that failed
	Output       []byte // what was printed
	Log          []byte // what Zenroom tells of the run: a JSON array of texts, unless it ended early
	Over         Over
}

// Over tells which of the caps stopped a run: there was more to come.
type Over struct{ Output, Log bool }

// Any reports whether one did.
func (o Over) Any() bool { return o.Output || o.Log }

// An Engine is Zenroom, loaded. It is safe for concurrent use.
type Engine struct {
	program *machine.Program
	calls   map[uint32]call
	begun   int // see begun
}

// Wasm is the engine in npm's JavaScript, as a machine loads it.
func Wasm(glue []byte) ([]byte, error) {
	wasm, err := readWasm(glue)
	if err == nil {
		_, err = readCalls(glue) // so that what New refuses is not loaded first
	}
	if err != nil {
		return nil, fmt.Errorf("read the engine of Zencode: %w", err)
	}
	return wasm, nil
}

// Load finds the engine in npm's JavaScript, and has it loaded.
func Load(ctx context.Context, glue []byte, load func(context.Context, []byte) (*machine.Program, error)) (*Engine, error) {
	wasm, err := Wasm(glue)
	if err != nil {
		return nil, err
	}
	program, err := load(ctx, wasm)
	if err != nil {
		return nil, fmt.Errorf("load the engine of Zencode: %w", err)
	}
	engine, err := New(program, glue)
	if err != nil {
		return nil, errors.Join(err, program.Close())
	}
	return engine, nil
}

// New is the engine that a program is, which was loaded from Wasm of the glue. The
// error says what of the contract the two do not keep.
func New(program *machine.Program, glue []byte) (*Engine, error) {
	calls, err := readCalls(glue)
	if err == nil {
		err = check(program)
	}
	if err != nil {
		return nil, fmt.Errorf("the engine of Zencode: %w", err)
	}
	return &Engine{program, calls, begun[sha256.Sum256(glue)]}, nil
}

// Close releases the program.
func (e *Engine) Close() error { return e.program.Close() }

// check reports what a program asks for that is not offered, and what it lacks.
func check(program *machine.Program) error {
	for _, want := range program.Module.Imports {
		have, ok := imports.Find(want.Module, want.Name)
		if !ok || !have.Type.Equal(want.Type) {
			return fmt.Errorf("it imports %s.%s as %v, which is not offered", want.Module, want.Name, want.Type)
		}
	}
	for _, name := range []string{"emscripten_stack_init", "__wasm_call_ctors", "malloc", "zencode_exec", "zenroom_exec"} {
		if _, ok := program.Module.Export(name); !ok {
			return fmt.Errorf("it exports no %s", name)
		}
	}
	return nil
}

// seedDomain separates rngseeds from other uses of a seed.
const seedDomain = "carrel zencode seed 1\x00"

func (i *Input) seed() [sha512.Size]byte { return sha512.Sum512(append([]byte(seedDomain), i.Seed...)) }

// ErrTooLarge reports an input of more than TextBytesMax.
var ErrTooLarge = fmt.Errorf("larger than %d bytes", TextBytesMax)

// Run runs a script. The error is of what was handed in, or of the host: how the
// script ended is in the result. Cancelling the context stops it at its next safe
// point, with class stopped.
func (e *Engine) Run(ctx context.Context, input *Input) (*Result, error) {
	r, err := e.begin(input)
	if err != nil {
		return nil, err
	}
	r.await = func() (*Input, error) { return input, nil }
	defer context.AfterFunc(ctx, r.instance.Stop)()
	return r.finish(r.execute())
}

// texts are what the entry point is handed but for the conf, in its order.
func (i *Input) texts() [5][]byte {
	return [...][]byte{i.Script, i.Keys, i.Data, i.Extra, i.Context}
}

// textNames are for people.
var textNames = [...]string{"script", "keys", "data", "extra", "context"}

// begin makes a run of a script, of which nothing has happened.
func (e *Engine) begin(input *Input) (*run, error) {
	r := &run{engine: e, lua: input.Lua, conf: input.conf(), chance: newChance(input.seed())}
	if len(r.conf) > TextBytesMax {
		return nil, fmt.Errorf("run Zencode: conf: %w", ErrTooLarge)
	}
	r.early = e.begun == 0 || !usual(input.Conf) || len(input.Script) == 0 || input.Script[0] == 0
	for n, text := range input.texts() {
		if len(text) > TextBytesMax {
			return nil, fmt.Errorf("run Zencode: %s: %w", textNames[n], ErrTooLarge)
		}
		if len(text) > 0 || n == 0 {
			r.rooms[n].size = room(text)
		}
	}
	var err error
	if r.instance, err = e.program.Instantiate(input.Limits, imports); err != nil {
		return nil, fmt.Errorf("run Zencode: %w", err)
	}
	r.instance.Guest = r
	return r, nil
}

// conf is the conf with the seed in it.
func (i *Input) conf() string {
	if strings.Contains(i.Conf, "rngseed") {
		return i.Conf
	}
	sum := i.seed()
	seed := "rngseed=hex:" + hex.EncodeToString(sum[:])
	if strings.TrimSpace(i.Conf) == "" {
		return seed
	}
	return i.Conf + "," + seed
}

// A run is a script under way.
type run struct {
	engine   *Engine
	instance *machine.Instance
	lua      bool
	conf     string
	rooms    [5]struct{ at, size uint32 } // for the texts; nothing for one that is absent
	early    bool                         // the texts are there from the beginning
	invokes  int
	await    func() (*Input, error) // waits for the texts

	files       map[string]file
	open        []descriptor // from firstDescriptor on
	now         uint64
	chance      chance
	caps        *Caps
	output, log []byte
	result      Result
	code        uint32
}

// execute begins the engine and runs the script. The error ends the turn.
func (r *run) execute() error {
	for _, export := range []string{"emscripten_stack_init", "__wasm_call_ctors"} {
		if _, err := r.instance.Call(export); err != nil {
			return err
		}
	}
	conf, err := r.allocate(uint32(len(r.conf) + 1))
	if err != nil {
		return err
	}
	if err := r.put(conf, []byte(r.conf)); err != nil {
		return err
	}
	for n := range r.rooms {
		if r.rooms[n].size == 0 {
			continue
		}
		if r.rooms[n].at, err = r.allocate(r.rooms[n].size); err != nil {
			return err
		}
		if err := r.put(r.rooms[n].at, []byte(placeholder)); err != nil {
			return err
		}
	}
	if r.early {
		if err := r.fill(); err != nil {
			return err
		}
	}
	export := "zencode_exec"
	if r.lua {
		export = "zenroom_exec"
	}
	at := func(n int) uint64 { return uint64(r.rooms[n].at) }
	code, err := r.instance.Call(export, at(0), uint64(conf), at(1), at(2), at(3), at(4))
	if err != nil {
		return err
	}
	if uint32(code[0]) != 0 {
		r.code = 1
	}
	return nil
}

// allocate has the engine give memory.
func (r *run) allocate(size uint32) (uint32, error) {
	at, err := r.instance.Call("malloc", uint64(size))
	if err != nil {
		return 0, err
	}
	if at[0] == 0 {
		return 0, &machine.Fault{Class: turn.Memory, Text: "the engine has no memory for its input"}
	}
	return uint32(at[0]), nil
}

// put copies a text into memory, with a zero after it.
func (r *run) put(at uint32, text []byte) error {
	b, err := r.bytes(at, uint32(len(text)+1))
	if err != nil {
		return err
	}
	b[copy(b, text)] = 0
	return nil
}

// finish ends a run.
func (r *run) finish(ended error) (*Result, error) {
	result := &r.result
	result.Outcome, result.Output, result.Log = r.instance.Outcome(ended), r.output, r.log
	if result.Class == turn.Exit {
		result.Code = r.code
	}
	return result, r.instance.Close()
}

// bytes is a part of the engine's memory that is to be moved, and is paid for.
func (r *run) bytes(at, length uint32) ([]byte, error) {
	b, ok := r.instance.Bytes(at, length)
	if !ok {
		return nil, errBounds
	}
	return b, r.instance.ChargeBytes(uint64(length))
}

// errBounds ends a run of an engine whose heap is damaged.
var errBounds error = &machine.Fault{Class: turn.Unreachable, Text: "the engine named memory that it does not have"}

// text is a string of C. It is paid for.
func (r *run) text(at uint32) ([]byte, error) {
	memory := r.instance.Memory()
	if uint64(at) >= uint64(len(memory)) {
		return nil, errBounds
	}
	rest := memory[at:]
	end := bytes.IndexByte(rest, 0)
	if end < 0 {
		return nil, errBounds
	}
	return rest[:end], r.instance.ChargeBytes(uint64(end))
}

var (
	errOutput error = &machine.Fault{Class: turn.Memory, Text: fmt.Sprintf("it printed more than %d bytes", ResultBytesMax)}
	errCap    error = &machine.Fault{Class: turn.Stopped, Text: "it printed more than its host takes"}
)

func (r *run) print(text []byte) error {
	limit := ResultBytesMax
	if r.caps != nil {
		limit = r.caps.Output
	}
	return appendCapped(&r.output, text, limit, &r.result.Over.Output)
}

func (r *run) logs(text []byte) error {
	limit := ResultBytesMax
	if r.caps != nil {
		limit = r.caps.Log
	}
	return appendCapped(&r.log, text, limit, &r.result.Over.Log)
}

// appendCapped adds to the output or the log, up to its limit.
func appendCapped(to *[]byte, text []byte, limit int, over *bool) error {
	err := errCap
	if limit >= ResultBytesMax {
		limit, err = ResultBytesMax, errOutput
	}
	if len(*to)+len(text) <= limit {
		*to = append(*to, text...)
		return nil
	}
	*over = true
	if room := limit - len(*to); room > 0 {
		*to = append(*to, text[:room]...)
	} else {
		*to = (*to)[:limit]
	}
	return err
}
