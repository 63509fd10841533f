package tar

import (
	"archive/tar"
	"fmt"
	"io"
	"slices"
	"strings"

	"carrel/tree"
)

// Modes of what is written: images hold no owners and no permissions.
const (
	modeFile = 0o644
	modeDir  = 0o755
	modeLink = 0o777
)

// Write writes files, directories and links as a tar image. The bytes depend
// on nothing but what they are: they are sorted by path, in the ustar format or, where a path or
// size does not fit, PAX; owner 0, time 0, fixed modes.
func Write(to io.Writer, files []tree.Change) error {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b tree.Change) int { return strings.Compare(a.Path, b.Path) })
	w := tar.NewWriter(to)
	for _, f := range files {
		if err := w.WriteHeader(header(f)); err != nil {
			return fmt.Errorf("write tar: %s: %w", f.Path, err)
		}
		if _, err := w.Write(f.Data); err != nil {
			return fmt.Errorf("write tar: %s: %w", f.Path, err)
		}
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("write tar: %w", err)
	}
	return nil
}

func header(f tree.Change) *tar.Header {
	switch f.Kind {
	case tree.Dir:
		return &tar.Header{Typeflag: tar.TypeDir, Name: f.Path + "/", Mode: modeDir}
	case tree.Link:
		return &tar.Header{Typeflag: tar.TypeSymlink, Name: f.Path, Linkname: f.Target, Mode: modeLink}
	default:
		return &tar.Header{Typeflag: tar.TypeReg, Name: f.Path, Size: int64(len(f.Data)), Mode: modeFile}
	}
}
