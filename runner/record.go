package runner

import (
	"encoding/hex"
	"fmt"

	"carrel/guest/js"
	"carrel/guest/posix"
	"carrel/guest/zencode"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/turn"
)

// Record is the turn as a receipt has it. Only a turn whose class is a result has one.
func (t *Turn) Record() (*receipt.Turn, error) {
	input, err := t.Input()
	if err != nil {
		return nil, err
	}
	result, err := t.Result()
	if err != nil {
		return nil, err
	}
	return &receipt.Turn{Input: *input, Result: *result}, nil
}

// Input is what the turn depended on, in the words of a receipt.
func (t *Turn) Input() (*receipt.Input, error) {
	s := t.spec
	stdin, err := blob(t.streams.Stdin)
	if err != nil {
		return nil, err
	}
	input := &receipt.Input{
		MachineVersion: turn.MachineVersion,
		Program:        s.program(),
		Guest:          receipt.Guest{Name: posix.Name, Version: posix.Version},
		Args:           s.Args,
		Env:            s.Env,
		Cwd:            s.Cwd,
		TimeNS:         s.Start,
		Clock:          s.Clock.String(),
		Seed:           hex.EncodeToString(s.Seed),
		Limits:         receipt.Limits{Fuel: s.Limits.Fuel, MemoryPages: s.Limits.MemoryPages},
		Stdin:          receipt.Stdin{Blob: stdin, End: t.streams.StdinEnd, Lines: s.Lines},
	}
	if s.From != nil {
		input.ImageBefore, input.ImageFile = seal.Digest(s.From.Image.Root()), &s.From.File
	}
	if s.Call != nil {
		input.Call = &receipt.Call{Export: s.Call.Export, Args: t.args}
	}
	if s.Script != nil {
		input.Guest = receipt.Guest{Name: js.Name, Version: js.Version}
		input.Mounts = s.Script.mounts()
	}
	if s.Zencode != nil {
		input.Guest = receipt.Guest{Name: zencode.Name, Version: zencode.Version}
		input.Mounts = mountsOf(s.Zencode.parts())
		input.Secrets = t.secrets
	}
	for n, m := range s.Mounts {
		mount := receipt.Mount{Guest: m.Guest, Kind: m.Kind, Mode: m.Mode, Content: m.Content}
		for _, o := range t.observations {
			if o.Mount != n {
				continue
			}
			seen, err := observation(o)
			if err != nil {
				return nil, err
			}
			mount.Observed = append(mount.Observed, seen)
		}
		input.Mounts = append(input.Mounts, mount)
	}
	return input, nil
}

// program names what runs.
func (s *Spec) program() receipt.Blob {
	if s.Zencode != nil && s.Zencode.Named != nil {
		return s.Zencode.Named.Program
	}
	return receipt.NewBlob(s.Program)
}

// Result is what came out, in the words of a receipt. Only a turn whose class
// is a result has one.
func (t *Turn) Result() (*receipt.Result, error) {
	if !t.Outcome.Class.Result() {
		return nil, fmt.Errorf("class %s is not a result", t.Outcome.Class)
	}
	stdout, err := blob(t.streams.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := blob(t.streams.Stderr)
	if err != nil {
		return nil, err
	}
	result := &receipt.Result{
		Class: t.Outcome.Class.String(), Code: t.Outcome.Code, Fuel: t.Outcome.Fuel,
		Stdout: stdout, Stderr: stderr, Returned: t.Returned,
	}
	if t.Outcome.Root != "" {
		if result.Root, err = seal.ParseDigest(t.Outcome.Root); err != nil {
			return nil, err
		}
	}
	for _, w := range t.Writes {
		write, err := w.record()
		if err != nil {
			return nil, err
		}
		result.Writes = append(result.Writes, write)
	}
	return result, nil
}

// blob names what passed through a stream; nothing passed if the turn never
// began.
func blob(s posix.Stream) (receipt.Blob, error) {
	if s.Digest == "" {
		return receipt.NewBlob(nil), nil
	}
	digest, err := seal.ParseDigest(s.Digest)
	return receipt.Blob{Digest: digest, Size: s.Bytes}, err
}

func observation(o posix.Observation) (receipt.Observation, error) {
	seen := receipt.Observation{
		Path: o.Path, Kind: o.Kind.String(), Size: uint64(o.Size), Listed: o.Listed, Target: o.Target,
	}
	for _, e := range o.Entries {
		seen.Entries = append(seen.Entries, receipt.Entry{Name: e.Name, Kind: e.Kind.String()})
	}
	if o.Digest == "" {
		return seen, nil
	}
	var err error
	seen.Digest, err = seal.ParseDigest(o.Digest)
	return seen, err
}
