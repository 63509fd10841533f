package runner

import (
	"bytes"
	"fmt"

	"carrel/guest/posix"
	"carrel/program/seal"
	"carrel/receipt"
)

// A Write is what a program leaves behind in one mount.
type Write struct {
	Mount   int            // index in Spec.Mounts
	Guest   string         // its path
	Kind    string         // receipt.MountDir, MountTar or MountFile
	Changes []posix.Change // of a directory or file, sorted by path
	Tar     []byte         // of a tar: the whole new image
}

// writes sorts what the program changed by mount, and makes the tars.
func writes(mounts []Mount, system *posix.System) ([]Write, error) {
	changes, err := system.Changes()
	if err != nil {
		return nil, err
	}
	var list []Write
	for n, m := range mounts {
		if m.Mode == receipt.ModeRO || m.Kind == receipt.MountTemp {
			continue
		}
		w := Write{Mount: n, Guest: m.Guest, Kind: m.Kind}
		if m.Kind == receipt.MountTar {
			var image bytes.Buffer
			if err := system.WriteTar(n, &image); err != nil {
				return nil, fmt.Errorf("%s: %w", m.Guest, err)
			}
			w.Tar = image.Bytes()
			list = append(list, w)
			continue
		}
		for _, c := range changes {
			if c.Mount == n {
				w.Changes = append(w.Changes, c)
			}
		}
		list = append(list, w)
	}
	return list, nil
}

// record is the write in the words of a receipt.
func (w *Write) record() (receipt.Write, error) {
	write := receipt.Write{Guest: w.Guest}
	if w.Kind == receipt.MountTar {
		content := receipt.NewBlob(w.Tar)
		write.Content = &content
		return write, nil
	}
	for _, c := range w.Changes {
		change := receipt.Change{Path: c.Path, Was: c.Was.String(), Kind: c.Kind.String(), Target: c.Target}
		if c.Kind == posix.File {
			digest, err := seal.ParseDigest(c.Digest)
			if err != nil {
				return receipt.Write{}, err
			}
			change.Content = &receipt.Blob{Digest: digest, Size: uint64(len(c.Data))}
		}
		write.Changes = append(write.Changes, change)
	}
	return write, nil
}
