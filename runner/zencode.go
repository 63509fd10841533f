package runner

import (
	"context"
	"errors"
	"fmt"

	"carrel/guest/zencode"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/turn"
)

// A Zencode is a script of Zencode or Lua. What runs it, the wasm, is Spec.Program:
// zencode.Wasm of the glue.
type Zencode struct {
	Lua    bool
	Script []byte
	// Glue is the JavaScript of npm's zenroom.
	Glue                             []byte
	Conf, Keys, Data, Extra, Context []byte // absent if empty
}

// Where the parts of a script are in its receipt.
const (
	zencodeMount = "/script.zen"
	luaMount     = "/script.lua"
	glueMount    = "/zenroom.js"
)

// ErrZencode reports a script that is asked for what only programs of WebAssembly
// can do.
var ErrZencode = errors.New("not for Zencode")

// parts are all that there are, in the order of their mounts.
func (z *Zencode) parts() []part {
	script := zencodeMount
	if z.Lua {
		script = luaMount
	}
	all := []part{{glueMount, z.Glue}, {script, z.Script}}
	for _, p := range []part{{"/conf", z.Conf}, {"/keys", z.Keys}, {"/data", z.Data}, {"/extra", z.Extra}, {"/context", z.Context}} {
		if len(p.content) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// zencode is the script of a receipt's input.
func (r *Replayer) zencode(input *receipt.Input) (*Zencode, error) {
	z := &Zencode{}
	into := map[string]*[]byte{
		glueMount: &z.Glue, zencodeMount: &z.Script, luaMount: &z.Script,
		"/conf": &z.Conf, "/keys": &z.Keys, "/data": &z.Data, "/extra": &z.Extra, "/context": &z.Context,
	}
	for _, m := range input.Mounts {
		part := into[m.Guest]
		if part == nil || *part != nil || m.Content == nil {
			return nil, fmt.Errorf("mount %s: no part of a script of Zencode", m.Guest)
		}
		var err error
		if *part, err = receipt.ReadBlob(r.blobs(), *m.Content, zencode.TextBytesMax); err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.Guest, err)
		}
		z.Lua = z.Lua || m.Guest == luaMount
	}
	return z, nil
}

// runZencode is Run for Zencode and Lua.
func (t *Turn) runZencode(ctx context.Context, load Load) (*Turn, error) {
	spec := t.spec
	switch {
	case len(spec.Mounts) > 0:
		return nil, fmt.Errorf("%w: files are not handed in; a script has its data and keys", ErrZencode)
	case len(spec.Args) > 1 || len(spec.Env) > 0:
		return nil, fmt.Errorf("%w: a script has no arguments and no environment", ErrZencode)
	case spec.Call != nil, spec.From != nil, spec.Image, spec.Calls != nil:
		return nil, fmt.Errorf("%w: a script runs from its beginning to its end", ErrZencode)
	}
	program, err := load(ctx, spec.Program)
	if err != nil {
		return nil, fmt.Errorf("load the engine of Zencode: %w", err)
	}
	defer program.Close()
	z := spec.Zencode
	engine, err := zencode.New(program, z.Glue)
	if err != nil {
		return nil, err
	}
	result, err := engine.Run(ctx, &zencode.Input{
		Lua: z.Lua, Script: z.Script, Conf: string(z.Conf),
		Keys: z.Keys, Data: z.Data, Extra: z.Extra, Context: z.Context,
		Seed: spec.Seed, Now: spec.Start, Limits: spec.Limits,
	})
	if refused(err, &t.Outcome) {
		return t, spec.keep(z.parts())
	} else if err != nil {
		return nil, err
	}
	t.Outcome = result.Outcome
	stdout := output{"standard output", spec.Stdout, seal.NewHasher()}
	stderr := output{"standard error", spec.Stderr, seal.NewHasher()}
	if t.Outcome.Class.Result() {
		t.Err = errors.Join(stdout.write(result.Output), stderr.write(result.Log))
	}
	if t.Err != nil {
		t.Outcome = turn.Outcome{Class: turn.Worker, Text: t.Err.Error()}
	}
	t.streams.Stdout, t.streams.Stderr = stream(stdout.sum), stream(stderr.sum)
	return t, spec.keep(z.parts())
}
