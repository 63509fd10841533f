package image

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"carrel/machine/page"
	"carrel/program/seal"
)

// A Label is what the file of an image says beside the image. The root does not
// cover it: who starts a program from an image looks whether it fits.
type Label struct {
	MachineVersion uint32      // turn.MachineVersion
	Program        seal.Digest // of the wasm as it was handed in
	Guest          string      // name of the personality; at most GuestBytesMax
	GuestVersion   uint32
}

func (l *Label) check() error {
	switch {
	case l.MachineVersion == 0:
		return errors.New("machine version is 0")
	case l.Program.IsZero():
		return errors.New("no program is named")
	case l.Guest == "" || len(l.Guest) > GuestBytesMax || !utf8.ValidString(l.Guest):
		return fmt.Errorf("guest is %.80q: a name has 1 to %d bytes of UTF-8", l.Guest, GuestBytesMax)
	case l.GuestVersion == 0:
		return errors.New("guest version is 0")
	}
	return nil
}

// A Header is what the file of an image says before the pages. Whether they have
// that root only Read knows.
type Header struct {
	Label
	Root        page.Hash
	MemoryBytes uint64
	Globals     int // how many
	HostBytes   int // size of the host region
}

// fileHeader is a header as it is written.
type fileHeader struct {
	MachineVersion uint32    `cbor:"machineVersion"`
	Program        page.Hash `cbor:"program"`
	Guest          string    `cbor:"guest"`
	GuestVersion   uint32    `cbor:"guestVersion"`
	Root           page.Hash `cbor:"root"`
	rest
}

func (h *fileHeader) label() *Label {
	return &Label{h.MachineVersion, h.Program, h.Guest, h.GuestVersion}
}

func (h *fileHeader) check() error {
	if err := h.label().check(); err != nil {
		return err
	}
	return h.rest.check()
}
