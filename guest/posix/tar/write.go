package tar

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// An Entry is a file, directory or symbolic link to be written.
type Entry struct {
	Path   string      // as io/fs has it
	Mode   fs.FileMode // type bits only
	Data   []byte
	Target string
}

// Modes of what is written: images hold no owners and no permissions.
const (
	modeFile = 0o644
	modeDir  = 0o755
	modeLink = 0o777
)

// Write writes a tree as a tar image. The bytes depend on nothing but the
// entries: they are sorted by path, in the ustar format or, where a path or
// size does not fit, PAX; owner 0, time 0, fixed modes.
func Write(to io.Writer, entries []Entry) error {
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Path, b.Path) })
	w := tar.NewWriter(to)
	for _, e := range entries {
		if err := w.WriteHeader(e.header()); err != nil {
			return fmt.Errorf("write tar: %s: %w", e.Path, err)
		}
		if _, err := w.Write(e.content()); err != nil {
			return fmt.Errorf("write tar: %s: %w", e.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write tar: %w", err)
	}
	return nil
}

func (e Entry) header() *tar.Header {
	switch e.Mode.Type() {
	case fs.ModeDir:
		return &tar.Header{Typeflag: tar.TypeDir, Name: e.Path + "/", Mode: modeDir}
	case fs.ModeSymlink:
		return &tar.Header{Typeflag: tar.TypeSymlink, Name: e.Path, Linkname: e.Target, Mode: modeLink}
	default:
		return &tar.Header{Typeflag: tar.TypeReg, Name: e.Path, Size: int64(len(e.Data)), Mode: modeFile}
	}
}

func (e Entry) content() []byte {
	if e.Mode.IsRegular() {
		return e.Data
	}
	return nil
}
