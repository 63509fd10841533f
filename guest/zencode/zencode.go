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
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"

	"carrel/machine"
	"carrel/turn"
)

const (
	// Name is the name of this personality in receipts.
	Name = "zencode"
	// Version is the version of the host layer: every rule of this package.
	Version = 1

	// TextBytesMax bounds the script, and each of its inputs.
	TextBytesMax = 16 << 20
	// ResultBytesMax bounds what is printed, and the log.
	ResultBytesMax = 16 << 20
)

// An Input is all that a result depends on, beside the engine. Texts are UTF-8 and
// end before a zero byte, if there is one.
type Input struct {
	Lua                        bool   // the script is Lua, not Zencode
	Script                     string //
	Conf                       string // as Zenroom has it: "debug=0,rngseed=hex:…"
	Data, Keys, Extra, Context string // absent if empty

	// Seed, of any size, is where chance comes from if Conf has no rngseed, which it
	// gives then: SHA-512 of seedDomain and it.
	Seed []byte
	// Now is what clocks show at the beginning, in nanoseconds since 1970. Each
	// reading moves them on by a microsecond.
	Now    uint64
	Limits turn.Limits
}

// A Result is how a run ended.
type Result struct {
	turn.Outcome        // its code is 1 for a script that failed
	Output       []byte // what was printed
	Log          []byte // what Zenroom tells of the run: a JSON array of texts, unless it ended early
}

// An Engine is Zenroom, loaded. It is safe for concurrent use.
type Engine struct {
	program *machine.Program
	calls   map[uint32]call
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
	return &Engine{program, calls}, nil
}

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
	texts := []string{input.Script, input.conf(), input.Keys, input.Data, input.Extra, input.Context}
	for n, name := range []string{"script", "conf", "keys", "data", "extra", "context"} {
		if len(texts[n]) > TextBytesMax {
			return nil, fmt.Errorf("run Zencode: %s: %w", name, ErrTooLarge)
		}
	}
	instance, err := e.program.Instantiate(input.Limits, imports)
	if err != nil {
		return nil, fmt.Errorf("run Zencode: %w", err)
	}
	r := &run{engine: e, instance: instance, now: input.Now, chance: newChance(input.seed())}
	instance.Guest = r
	defer context.AfterFunc(ctx, instance.Stop)()
	ended := r.execute(input.Lua, texts)
	result := &Result{Outcome: instance.Outcome(ended), Output: r.output, Log: r.log}
	if result.Class == turn.Exit {
		result.Code = r.code
	}
	return result, instance.Close()
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
	engine      *Engine
	instance    *machine.Instance
	files       map[string]file
	open        []descriptor // from firstDescriptor on
	now         uint64
	chance      chance
	output, log []byte
	code        uint32
}

// execute begins the engine and runs the script. The error ends the turn.
func (r *run) execute(lua bool, texts []string) error {
	for _, export := range []string{"emscripten_stack_init", "__wasm_call_ctors"} {
		if _, err := r.instance.Call(export); err != nil {
			return err
		}
	}
	var args []uint64
	for n, text := range texts {
		if text == "" && n > 0 {
			args = append(args, 0)
			continue
		}
		at, err := r.put([]byte(text))
		if err != nil {
			return err
		}
		args = append(args, uint64(at))
	}
	export := "zencode_exec"
	if lua {
		export = "zenroom_exec"
	}
	code, err := r.instance.Call(export, args...)
	if err != nil {
		return err
	}
	if uint32(code[0]) != 0 {
		r.code = 1
	}
	return nil
}

// put copies bytes into memory that the engine allocates, with a zero after them.
func (r *run) put(content []byte) (uint32, error) {
	at, err := r.instance.Call("malloc", uint64(len(content)+1))
	if err != nil {
		return 0, err
	}
	if at[0] == 0 {
		return 0, &machine.Fault{Class: turn.Memory, Text: "the engine has no memory for its input"}
	}
	b, err := r.bytes(uint32(at[0]), uint32(len(content)+1))
	if err != nil {
		return 0, err
	}
	b[copy(b, content)] = 0
	return uint32(at[0]), nil
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

var errOutput error = &machine.Fault{Class: turn.Memory, Text: fmt.Sprintf("it printed more than %d bytes", ResultBytesMax)}

// append adds to the output or the log.
func (r *run) append(to *[]byte, text []byte) error {
	if len(*to)+len(text) > ResultBytesMax {
		return errOutput
	}
	*to = append(*to, text...)
	return nil
}
