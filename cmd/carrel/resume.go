package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"carrel/guest/posix"
	"carrel/machine"
	"carrel/machine/image"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/runner"
	"carrel/turn"
)

// mapBytesMin is the size of memory from which an image of the store is mapped,
// and not read, where the bytes of its file are not needed.
const mapBytesMin = 4 << 20

// goOn makes the program go on from the image of --from.
func (s *sitting) goOn() error {
	img, label, file, err := s.image(s.flags.from)
	if err == nil {
		err = s.suits(label)
	}
	if err != nil {
		return fmt.Errorf("--from: %w", err)
	}
	s.spec.From = &runner.From{Image: img, File: receipt.NewBlob(file)}
	if s.keep == nil {
		return nil
	}
	return s.keep.file(s.spec.From.File.Digest.String(), file)
}

// image finds an image: a file, or one of the store. It gives the bytes of a
// file that has it, if there is to be a receipt.
func (s *sitting) image(name string) (*image.Image, *image.Label, []byte, error) {
	isFile, err := namesFile(name)
	if err != nil {
		return nil, nil, nil, err
	}
	if isFile {
		img, err := readImage(name)
		if err != nil {
			return nil, nil, nil, err
		}
		return s.withFile(img.Image, img.label)
	}
	store, root, err := resolveImage(name)
	if err != nil {
		return nil, nil, nil, err
	}
	if info, err := store.Stat(root); err == nil && s.keep == nil && info.MemoryBytes >= mapBytesMin {
		s.store = store
		img, label, err := store.Map(root)
		return img, label, nil, err
	}
	img, label, err := store.Get(root)
	if err != nil {
		return nil, nil, nil, err
	}
	return s.withFile(img, label)
}

// withFile gives the bytes of a file that has the image, if there is to be a
// receipt.
func (s *sitting) withFile(img *image.Image, label *image.Label) (*image.Image, *image.Label, []byte, error) {
	if s.keep == nil {
		return img, label, nil, nil
	}
	var file bytes.Buffer
	err := image.Write(&file, img, label)
	return img, label, file.Bytes(), err
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
		return fmt.Errorf("%s is an image of program %v, and %s is %v", s.flags.from, label.Program.Short(), s.name, ours.Program.Short())
	case label.MachineVersion != ours.MachineVersion:
		return fmt.Errorf("%s was made by machine version %d, this is version %d", s.flags.from, label.MachineVersion, ours.MachineVersion)
	case label.Guest != ours.Guest || label.GuestVersion != ours.GuestVersion:
		return fmt.Errorf("%s was made under guest %s version %d, this is %s version %d", s.flags.from, label.Guest, label.GuestVersion, ours.Guest, ours.GuestVersion)
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

// discard throws away the mapped form of the image that the program started
// from, if it turned out to be bad, and says so.
func (s *sitting) discard() error {
	if s.store == nil || s.spec.From.Image.Verify() == nil {
		return nil
	}
	if err := s.store.Discard(s.spec.From.Image.Claimed()); err != nil {
		return err
	}
	return failf(exitError, "--from: the mapped form of %s was damaged, and is thrown away; run it again", s.flags.from)
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
