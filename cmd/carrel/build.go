package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/toolchain"
)

// recorded makes of what performs a command what writes its receipt too: to a
// file, or into a directory under a name that follows from the command's output.
// It is checked before that this can be done.
func recorded(cmd *cobra.Command, to string, c *toolchain.Command, perform func() (int, error)) (func() (int, error), error) {
	inDir := false
	if info, err := os.Stat(to); err == nil && info.IsDir() {
		inDir = true
	}
	probe := to
	if inDir {
		probe = filepath.Join(to, "receipt")
	}
	if err := writable(probe); err != nil {
		return nil, fmt.Errorf("--receipt: %w", err)
	}
	h, err := home.Find()
	if err != nil {
		return nil, err
	}
	key, err := signingKey(cmd, h)
	if err != nil {
		return nil, err
	}
	keep, err := newKeepsake(h)
	if err != nil {
		return nil, err
	}
	c.Stdin = keep.tee(c.Stdin)
	c.Record = &toolchain.Record{Keep: keep.file}
	started := time.Now()
	return func() (int, error) {
		defer keep.Close()
		code, failure := perform()
		if failure != nil && !errors.As(failure, new(*toolchain.FaultError)) || len(c.Record.Steps) == 0 {
			return code, failure
		}
		build := &receipt.Build{Command: append([]string{c.Tool}, c.Args...), Steps: c.Record.Steps}
		if err := keepBuild(keep, h, build); err != nil {
			return 0, err
		}
		engine, err := toolEngine()
		if err != nil {
			return 0, err
		}
		opened, err := engine.open()
		if err != nil {
			return 0, err
		}
		defer opened.Close()
		build.Remarks = remarks(opened, started, time.Since(started))
		if inDir {
			to = filepath.Join(to, receiptName(build))
		}
		if err := writeReceipt(to, build, key); err != nil {
			return 0, err
		}
		keep.warn(cmd.ErrOrStderr())
		return code, failure
	}, nil
}

// keepBuild keeps what was not kept while it was read.
func keepBuild(keep *keepsake, h home.Home, build *receipt.Build) error {
	program, resources := toolchain.Paths(toolchain.Dir(h.Tools))
	first := build.Steps[0].Input
	err := keep.link(first.Program.Digest, program)
	for _, m := range first.Mounts {
		if m.Guest == toolchain.ResourceDir {
			err = errors.Join(err, keep.link(m.Content.Digest, resources))
		}
	}
	if err != nil {
		return fmt.Errorf("remember where the toolchain is: %w", err)
	}
	for _, turn := range build.Steps {
		if turn.Input.Stdin.Size > 0 { // no more than one reads it: then it is at its end
			return keep.finish(turn.Input.Stdin)
		}
	}
	return nil
}

// receiptName is the name of a build's receipt among others in a directory: by
// the name of what was built last and the place where it is, or by the command if
// nothing was.
func receiptName(build *receipt.Build) string {
	name, place := build.Command[0], fmt.Sprintf("%q", build.Command)
	for _, turn := range build.Steps {
		for _, w := range turn.Result.Writes {
			for _, c := range w.Changes {
				name, place = path.Base(c.Path), path.Join(w.Guest, c.Path)
			}
		}
	}
	id := seal.Sum([]byte(place))
	return name + "-" + hex.EncodeToString(id[:4]) + ".json"
}
