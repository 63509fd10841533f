package runner

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"carrel/guest/zencode"
	"carrel/guest/zencode/secret"
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

	// Secrets, by their names, are put into Keys, if it is not nil (package
	// guest/zencode/secret). A receipt has Keys without them, and commits to those that
	// Keys names.
	Secrets      map[string]Secret
	SecretLimits secret.Limits

	// Named, if set, names Program and Glue, which whoever runs many scripts has hashed
	// once. They are not given to Spec.Keep then.
	Named *EngineBlobs

	// Caps, if there are any, stop it: see zencode.Input.
	Caps *zencode.Caps
	// Engine, if set, runs it in the place of one that is loaded for it; it is not
	// closed.
	Engine interface {
		Run(context.Context, *zencode.Input) (*zencode.Result, error)
	}
}

// EngineBlobs name what an engine is made of.
type EngineBlobs struct{ Program, Glue receipt.Blob }

// A Secret is what a guest may be handed, and the salt by which a receipt commits to
// it.
type Secret struct {
	Content []byte
	Salt    [receipt.SaltBytes]byte
}

// Salted are secrets, each with a salt that is drawn from the host's chance.
func Salted(contents map[string][]byte) map[string]Secret {
	all := make(map[string]Secret, len(contents))
	for name, content := range contents {
		s := Secret{Content: content}
		_, _ = rand.Read(s.Salt[:]) // which never fails
		all[name] = s
	}
	return all
}

// A SecretsError reports keys that secrets could not be put into.
type SecretsError struct{ Err error }

func (e *SecretsError) Error() string { return "put secrets into keys: " + e.Err.Error() }
func (e *SecretsError) Unwrap() error { return e.Err }

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
	all := []part{{guest: glueMount, content: z.Glue}, {guest: script, content: z.Script}}
	if z.Named != nil {
		all[0].named = &z.Named.Glue
	}
	for _, p := range []part{{guest: "/conf", content: z.Conf}, {guest: "/keys", content: z.Keys}, {guest: "/data", content: z.Data}, {guest: "/extra", content: z.Extra}, {guest: "/context", content: z.Context}} {
		if len(p.content) > 0 {
			all = append(all, p)
		}
	}
	return all
}

// zencode is the script of a receipt's input.
func (r *Replayer) zencode(input *receipt.Input) (*Zencode, error) {
	z := &Zencode{SecretLimits: secret.None}
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
	var err error
	z.Secrets, err = r.open(input)
	return z, err
}

// inject puts the secrets into the keys.
func (z *Zencode) inject() (*secret.Keys, error) {
	contents := map[string][]byte{}
	for name, s := range z.Secrets {
		contents[name] = s.Content
	}
	return secret.Inject(z.Keys, contents, z.SecretLimits)
}

// committed are the secrets that were used, for a receipt.
func (z *Zencode) committed(names []string) (all []receipt.Secret) {
	for _, name := range names {
		all = append(all, receipt.NewSecret(name, z.Secrets[name].Salt, z.Secrets[name].Content))
	}
	return all
}

// open finds the secrets of a receipt among those that there are.
func (r *Replayer) open(input *receipt.Input) (map[string]Secret, error) {
	if input.Secrets == nil {
		return nil, nil
	}
	found, missing := map[string]Secret{}, []string(nil)
	for _, s := range input.Secrets {
		content, ok := r.Secrets[s.Name]
		salt, err := hex.DecodeString(s.Salt)
		switch {
		case err != nil:
			return nil, err
		case !ok:
			missing = append(missing, fmt.Sprintf("secret %q, which it was handed", s.Name))
		case !s.Opens(content):
			missing = append(missing, fmt.Sprintf("secret %q, which it was handed: what was given is another", s.Name))
		default:
			found[s.Name] = Secret{content, [receipt.SaltBytes]byte(salt)}
		}
	}
	if missing != nil {
		return nil, &receipt.MissingError{Missing: missing}
	}
	return found, nil
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
	z := spec.Zencode
	input := &zencode.Input{
		Lua: z.Lua, Script: z.Script, Conf: string(z.Conf),
		Keys: z.Keys, Data: z.Data, Extra: z.Extra, Context: z.Context,
		Seed: spec.Seed, Now: spec.Start, Limits: spec.Limits, Caps: z.Caps,
	}
	if z.Secrets != nil {
		keys, err := z.inject()
		if err != nil {
			return nil, &SecretsError{err}
		}
		defer keys.Wipe()
		input.Keys, t.secrets = keys.Text, z.committed(keys.Used)
	}
	engine := z.Engine
	if engine == nil {
		own, err := zencode.Load(ctx, z.Glue, load)
		if err != nil {
			return nil, err
		}
		defer own.Close()
		engine = own
	}
	result, err := engine.Run(ctx, input)
	if refused(err, &t.Outcome) {
		return t, spec.keep(z.parts())
	} else if err != nil {
		return nil, err
	}
	t.Outcome, t.Over = result.Outcome, result.Over
	stdout := output{"standard output", spec.Stdout, seal.NewHasher()}
	stderr := output{"standard error", spec.Stderr, seal.NewHasher()}
	t.Err = errors.Join(stdout.write(result.Output), stderr.write(result.Log)) // stopped or not
	if t.Err != nil && t.Outcome.Class.Result() {
		t.Outcome = turn.Outcome{Class: turn.Worker, Text: t.Err.Error()}
	}
	t.streams.Stdout, t.streams.Stderr = stream(stdout.sum), stream(stderr.sum)
	return t, spec.keep(z.parts())
}
