package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"carrel/disk"
	"carrel/receipt"
	"carrel/runner"
)

// tarBytesMax bounds a tar image that is handed in.
const tarBytesMax = 2 << 30

// Where a program finds empty directories that nobody keeps.
const (
	rootGuest = "/"
	tempGuest = "/tmp"
)

// handed are the directories and tars that a program was handed.
type handed struct {
	mounts  []runner.Mount
	hosts   []string // of each mount: where it is on this host
	sources []io.Closer
}

// openMounts opens what the flags name. Of directories nothing is read yet.
// Unless the flags hand in a root, it is an empty directory, with a /tmp.
func openMounts(dirs, tars []mount) (*handed, error) {
	h := &handed{}
	guests := map[string]bool{}
	for _, m := range slices.Concat(dirs, tars) {
		guests[m.Guest] = true
	}
	if !guests[rootGuest] {
		h.temp(rootGuest)
	}
	for _, m := range dirs {
		if err := h.dir(m); err != nil {
			return nil, errors.Join(fmt.Errorf("--dir %s: %w", m.Host, err), h.Close())
		}
	}
	for _, m := range tars {
		if err := h.tar(m); err != nil {
			return nil, errors.Join(fmt.Errorf("--tar %s: %w", m.Host, err), h.Close())
		}
	}
	if !guests[rootGuest] && !guests[tempGuest] {
		h.temp(tempGuest)
	}
	return h, nil
}

// temp adds an empty directory that nobody keeps.
func (h *handed) temp(guest string) {
	h.add(runner.Mount{Guest: guest, Kind: receipt.MountTemp, Mode: receipt.ModeRW}, "")
}

func (h *handed) add(m runner.Mount, host string) {
	h.mounts, h.hosts = append(h.mounts, m), append(h.hosts, host)
}

func (h *handed) dir(m mount) error {
	source, err := disk.Open(m.Host)
	if err != nil {
		return cause(err)
	}
	h.sources = append(h.sources, source)
	kind := receipt.MountFile
	if info, err := os.Stat(m.Host); err != nil {
		return cause(err)
	} else if info.IsDir() {
		kind = receipt.MountDir
	}
	h.add(runner.Mount{Guest: m.Guest, Kind: kind, Mode: string(m.Access), Tree: source}, m.Host)
	return nil
}

func (h *handed) tar(m mount) error {
	mount := runner.Mount{Guest: m.Guest, Kind: receipt.MountTar, Mode: string(m.Access)}
	if m.Access == writeOnly {
		if _, err := os.Stat(filepath.Dir(m.Host)); err != nil {
			return cause(err)
		}
		h.add(mount, m.Host)
		return nil
	}
	image, err := readTar(m.Host)
	if err != nil {
		return cause(err)
	}
	if mount.Tree, err = runner.ContentTree(receipt.MountTar, image); err != nil {
		return err
	}
	content := receipt.NewBlob(image)
	mount.Content = &content
	h.add(mount, m.Host)
	return nil
}

func readTar(name string) ([]byte, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("not a file")
	case info.Size() > tarBytesMax:
		return nil, fmt.Errorf("larger than %s", bytesOf(tarBytesMax))
	}
	return os.ReadFile(name)
}

// Close releases the directories.
func (h *handed) Close() error {
	var all error
	for _, source := range h.sources {
		all = errors.Join(all, source.Close())
	}
	return all
}

// keep keeps what is not kept while it is read: a tar that may be written back
// is copied, other tars are linked to.
func (h *handed) keep(k *keepsake) error {
	for n, m := range h.mounts {
		switch {
		case m.Content == nil:
		case m.Mode == receipt.ModeRO:
			if err := k.link(m.Content.Digest, h.hosts[n]); err != nil {
				return err
			}
		default:
			image, err := os.ReadFile(h.hosts[n])
			if err != nil {
				return err
			}
			if err := k.file(m.Content.Digest.String(), image); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeBack makes the host's directories and tars what the program left.
func (h *handed) writeBack(writes []runner.Write) error {
	for _, w := range writes {
		host := h.hosts[w.Mount]
		var err error
		if w.Kind == receipt.MountTar {
			err = disk.Replace(host, func(to io.Writer) error { _, err := to.Write(w.Tar); return err })
		} else {
			err = disk.Apply(host, w.Changes)
		}
		if err != nil {
			return fmt.Errorf("the program is done, but %s is not as it left it: %w", host, err)
		}
	}
	return nil
}

// cause is an error of a file without the name of the file, which is said
// already.
func cause(err error) error {
	if p := (*os.PathError)(nil); errors.As(err, &p) {
		return p.Err
	}
	return err
}
