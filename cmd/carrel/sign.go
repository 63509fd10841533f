package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"carrel/home"
	"carrel/machine"
	"carrel/program/keys"
	"carrel/program/seal"
	"carrel/receipt"
)

// prepareReceipt makes sure, before the program runs, that its receipt can be
// signed and what it reads can be kept.
func (s *sitting) prepareReceipt() error {
	h, err := home.Find()
	if err != nil {
		return err
	}
	if err := writable(s.flags.receipt); err != nil {
		return fmt.Errorf("--receipt: %w", err)
	}
	if s.key, err = signingKey(s.cmd, h); err != nil {
		return err
	}
	if s.keep, err = newKeepsake(h); err != nil {
		return err
	}
	s.spec.Stdin = s.keep.tee(s.spec.Stdin)
	s.spec.Keep = s.keep.file
	return s.handed.keep(s.keep)
}

// signingKey is the current key, made now if it is the first.
func signingKey(cmd *cobra.Command, h home.Home) (seal.PrivateKey, error) {
	dir := keys.At(h.Keys)
	key, err := dir.Current()
	if !errors.Is(err, keys.ErrNone) {
		return key, err
	}
	if key, err = dir.Ensure(rand.Reader, defaultKeyName()); err != nil {
		return key, err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "carrel: made a key to sign receipts with: %s, in %s\n", key.ID(), h.Keys)
	return key, nil
}

// writeReceipt signs what happened and writes it to the file asked for.
func (s *sitting) writeReceipt() error {
	r, err := s.receipt()
	if err != nil {
		return fmt.Errorf("make receipt: %w", err)
	}
	if err := s.keep.finish(r.Input.Stdin); err != nil {
		return err
	}
	if s.file == "" {
		err = s.keep.file(r.Input.Program.Digest.String(), s.spec.Program)
	} else {
		err = s.keep.link(r.Input.Program.Digest, s.file)
	}
	if err != nil {
		return fmt.Errorf("remember where the program is: %w", err)
	}
	if err := writeReceipt(s.flags.receipt, r, s.key); err != nil {
		return err
	}
	s.signed = s.key.ID().String()
	s.keep.warn(s.cmd.ErrOrStderr())
	return nil
}

// writeReceipt signs a statement and writes it to a file.
func writeReceipt(name string, statement receipt.Statement, key seal.PrivateKey) error {
	envelope, err := receipt.Sign(statement, key)
	if err != nil {
		return err
	}
	text, err := envelope.Encode()
	if err != nil {
		return err
	}
	if err := publish(name, func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
		return fmt.Errorf("write receipt: %w", err)
	}
	return nil
}

func (s *sitting) receipt() (*receipt.Receipt, error) {
	done, err := s.turn.Record()
	if err != nil {
		return nil, err
	}
	return &receipt.Receipt{Input: done.Input, Result: done.Result, Remarks: remarks(s.engine, s.started, s.wall)}, nil
}

// remarks are what this host says of itself.
func remarks(engine machine.Engine, started time.Time, wall time.Duration) receipt.Remarks {
	return receipt.Remarks{
		Engine: engine.Name(), EngineVersion: engine.Version(),
		Carrel: carrelVersion(), Platform: platform(),
		Started: started.UTC().Format("2006-01-02T15:04:05Z07:00"), WallNS: uint64(wall),
	}
}
