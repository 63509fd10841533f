package runner_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"carrel/machine"
	"carrel/machine/wazero"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/runner"
	"carrel/turn"
)

// nothing is a program that does nothing:
//
//	(module (memory (export "memory") 1) (func (export "_start")))
var nothing = []byte("\x00asm\x01\x00\x00\x00" +
	"\x01\x04\x01\x60\x00\x00" + // types: () -> ()
	"\x03\x02\x01\x00" + // functions
	"\x05\x03\x01\x00\x01" + // memory of one page
	"\x07\x13\x02\x06memory\x02\x00\x06_start\x00\x00" + // exports
	"\x0a\x04\x01\x02\x00\x0b") // code

// memory is a source of blobs.
type memory map[seal.Digest][]byte

func (m memory) Blob(digest seal.Digest) (io.ReadCloser, error) {
	data, ok := m[digest]
	if !ok {
		return nil, receipt.ErrNoBlob
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// TestReplayChecksInput changes what a receipt says that the program took: a
// replay that takes something else is another turn, whatever its result.
func TestReplayChecksInput(t *testing.T) {
	engine := wazero.Interpreted(wazero.Options{})
	defer engine.Close()
	load := func(ctx context.Context, wasm []byte) (*machine.Program, error) {
		return machine.Load(ctx, engine, wasm)
	}
	ran, err := runner.Run(t.Context(), load, &runner.Spec{Program: nothing, Args: []string{"nothing"}, Limits: turn.Limits{Fuel: 1 << 20, MemoryPages: 16}, Root: true,
		Mounts: []runner.Mount{{Guest: "/tmp", Kind: receipt.MountTemp, Mode: receipt.ModeRW}}})
	if err != nil || ran.Outcome.Class != turn.Exit {
		t.Fatal(ran, err)
	}
	result, err := ran.Result()
	if err != nil {
		t.Fatal(err)
	}
	text := []byte("never read")
	blobs := memory{seal.Sum(nothing): nothing, seal.Sum(text): text}
	for _, c := range []struct {
		name   string
		change func(*receipt.Input)
		field  string
	}{
		{"nothing", func(*receipt.Input) {}, ""},
		{"input read", func(in *receipt.Input) { in.Stdin.Blob = receipt.NewBlob(text) }, "stdin"},
		{"end of input met", func(in *receipt.Input) { in.Stdin.End = true }, "stdin"},
		{"a file read", func(in *receipt.Input) {
			in.Mounts = append(in.Mounts, receipt.Mount{Guest: "/data", Kind: receipt.MountDir, Mode: receipt.ModeRO, Observed: []receipt.Observation{
				{Path: ".", Kind: receipt.KindDir},
				{Path: "secret", Kind: receipt.KindFile, Size: uint64(len(text)), Digest: seal.Sum(text)},
			}})
		}, "mount /data secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			input, err := ran.Input()
			if err != nil {
				t.Fatal(err)
			}
			c.change(input)
			again, err := (&runner.Replayer{Load: load, Blobs: blobs}).Run(t.Context(), input)
			diverged := (*receipt.DivergedError)(nil)
			switch {
			case c.field == "" && (err != nil || len(receipt.Compare(result, again)) > 0):
				t.Errorf("got %v, %v", again, err)
			case c.field != "" && (!errors.As(err, &diverged) || diverged.Field != c.field):
				t.Errorf("got %v, want a difference in %s", err, c.field)
			}
		})
	}
}
