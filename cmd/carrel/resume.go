package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"carrel/guest/posix"
	"carrel/machine"
	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/runner"
	"carrel/turn"
)

// goOn makes the program go on from the image of --from.
func (s *sitting) goOn() error {
	img, label, file, err := s.open(s.flags.from)
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	if err := s.suits(label); err != nil {
		return fmt.Errorf("--from: %s: %w", s.flags.from, err)
	}
	s.spec.From = &runner.From{Image: img, File: receipt.NewBlob(file)}
	if s.keep == nil {
		return nil
	}
	return s.keep.file(s.spec.From.File.Digest.String(), file)
}

// open reads an image, and gives the bytes of its file.
func (s *sitting) open(name string) (*image.Image, *image.Label, []byte, error) {
	file, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, nil, err
	}
	img, label, err := image.Read(bytes.NewReader(file), image.Limits{MemoryBytes: uint64(s.spec.Limits.MemoryPages) * pageBytes})
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return img, label, file, nil
}

// label is what is said of an image of the program.
func (s *sitting) label() *image.Label {
	return &image.Label{
		MachineVersion: turn.MachineVersion, Program: seal.Sum(s.spec.Program),
		Guest: posix.Name, GuestVersion: posix.Version,
	}
}

// suits reports why the program cannot go on from an image with a label.
func (s *sitting) suits(label *image.Label) error {
	switch ours := s.label(); {
	case label.Program != ours.Program:
		return fmt.Errorf("it is an image of program %v, and %s is %v", label.Program.Short(), s.name, ours.Program.Short())
	case label.MachineVersion != ours.MachineVersion:
		return fmt.Errorf("it was made by machine version %d, this is version %d", label.MachineVersion, ours.MachineVersion)
	case label.Guest != ours.Guest || label.GuestVersion != ours.GuestVersion:
		return fmt.Errorf("it was made under guest %s version %d, this is %s version %d", label.Guest, label.GuestVersion, ours.Guest, ours.GuestVersion)
	}
	return nil
}

// writeImage writes the image that the program left to the file of --image-out.
func (s *sitting) writeImage() error {
	if s.turn.Image == nil {
		return nil
	}
	if err := publish(s.flags.imageOut, func(w io.Writer) error { return image.Write(w, s.turn.Image, s.label()) }); err != nil {
		return fmt.Errorf("--image-out: %w", err)
	}
	return nil
}

// printReturned prints what the function of --call returned, a value on each
// line, without the types.
func (s *sitting) printReturned() error {
	for _, text := range s.turn.Returned {
		_, value, _ := strings.Cut(text, ":")
		if _, err := fmt.Fprintln(s.cmd.OutOrStdout(), value); err != nil {
			return fmt.Errorf("print what %s returned: %w", s.flags.call, err)
		}
	}
	return nil
}

// unsuited makes words of the errors of a run that are the person's to mend.
func (s *sitting) unsuited(err error) error {
	switch {
	case errors.Is(err, machine.ErrNotImageable):
		return fmt.Errorf("%s: %w, and --image-out and --from need one that is; carrel inspect says more", s.name, err)
	case errors.Is(err, runner.ErrCall), errors.Is(err, machine.ErrImage):
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return err
}
