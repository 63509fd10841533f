package receipt

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

func validMounts(mounts []Mount) error {
	if len(mounts) > MountsMax {
		return fmt.Errorf("%d mounts, at most %d", len(mounts), MountsMax)
	}
	seen := map[string]bool{}
	for _, mount := range mounts {
		if err := mount.validate(); err != nil {
			return fmt.Errorf("mount %.80q: %w", mount.Guest, err)
		}
		if seen[mount.Guest] {
			return fmt.Errorf("mount %.80q is there twice", mount.Guest)
		}
		seen[mount.Guest] = true
	}
	return nil
}

// mountForms are what the kinds of mounts may be and have.
var mountForms = []struct {
	kind     string
	modes    []string
	content  func(*Mount) bool // whether Content is as it must be
	observed bool              // whether there may be observations
}{
	{MountDir, []string{ModeRO, ModeRW}, func(m *Mount) bool { return m.Content == nil }, true},
	{MountTar, []string{ModeRO, ModeRW, ModeWO}, func(m *Mount) bool { return (m.Content == nil) == (m.Mode == ModeWO) }, false},
	{MountFile, []string{ModeRO, ModeRW}, func(m *Mount) bool { return m.Content == nil || len(m.Observed) == 0 }, true},
	{MountTemp, []string{ModeRW}, func(m *Mount) bool { return m.Content == nil }, false},
}

func (m *Mount) validate() error {
	if m.Guest == "" {
		return errors.New("no path")
	}
	if err := validText(m.Guest); err != nil {
		return err
	}
	for _, form := range mountForms {
		if form.kind != m.Kind {
			continue
		}
		if err := oneOf("mode", m.Mode, form.modes...); err != nil {
			return err
		}
		if !form.content(m) {
			return fmt.Errorf("content does not go with kind %s, mode %s", m.Kind, m.Mode)
		}
		if len(m.Observed) > 0 && !form.observed {
			return fmt.Errorf("observations of kind %s", m.Kind)
		}
		if m.Content != nil {
			if err := m.Content.validate(); err != nil {
				return err
			}
		}
		return validObservations(m.Observed)
	}
	return fmt.Errorf("kind is %.80q", m.Kind)
}

func validObservations(observed []Observation) error {
	if len(observed) > ObservationsMax {
		return fmt.Errorf("%d observations, at most %d", len(observed), ObservationsMax)
	}
	for n, o := range observed {
		if n > 0 && observed[n-1].Path >= o.Path {
			return fmt.Errorf("%.80q is out of order or there twice", o.Path)
		}
		if err := o.validate(); err != nil {
			return fmt.Errorf("%.80q: %w", o.Path, err)
		}
	}
	return nil
}

func (o *Observation) validate() error {
	if err := validPath(o.Path); err != nil {
		return err
	}
	if err := oneOf("kind", o.Kind, KindFile, KindDir, KindLink, KindAbsent, KindOther); err != nil {
		return err
	}
	if o.Kind != KindFile && (o.Size != 0 || !o.Digest.IsZero()) {
		return fmt.Errorf("content of kind %s", o.Kind)
	}
	if !o.Digest.IsZero() {
		if err := (Blob{o.Digest, o.Size}).validate(); err != nil {
			return err
		}
	}
	if o.Listed && o.Kind != KindDir || len(o.Entries) > 0 && !o.Listed {
		return errors.New("entries of what was not listed, or is no directory")
	}
	if o.Target != "" && o.Kind != KindLink {
		return fmt.Errorf("target of kind %s", o.Kind)
	}
	if err := validText(o.Target); err != nil {
		return err
	}
	return validEntries(o.Entries)
}

func validEntries(entries []Entry) error {
	if len(entries) > ObservationsMax {
		return fmt.Errorf("%d entries, at most %d", len(entries), ObservationsMax)
	}
	for n, entry := range entries {
		if n > 0 && entries[n-1].Name >= entry.Name {
			return fmt.Errorf("entry %.80q is out of order or there twice", entry.Name)
		}
		if err := validPath(entry.Name); err != nil || entry.Name == "." || strings.Contains(entry.Name, "/") {
			return fmt.Errorf("entry %.80q is no name", entry.Name)
		}
		if err := oneOf("kind", entry.Kind, KindFile, KindDir, KindLink, KindOther); err != nil {
			return fmt.Errorf("entry %.80q: %w", entry.Name, err)
		}
	}
	return nil
}

// validPath accepts the paths of package io/fs: relative, clean, no "..".
func validPath(path string) error {
	if !fs.ValidPath(path) {
		return fmt.Errorf("%.80q is not a clean relative path", path)
	}
	return validText(path)
}

// validWrites checks that writes are of mounts that may be written, in order.
func validWrites(writes []Write, mounts []Mount) error {
	next := 0
	for _, write := range writes {
		at := slices.IndexFunc(mounts[next:], func(m Mount) bool { return m.Guest == write.Guest })
		if at < 0 {
			return fmt.Errorf("write %.80q: no such mount, or out of order", write.Guest)
		}
		mount := mounts[next+at]
		next += at + 1
		if err := write.validate(&mount); err != nil {
			return fmt.Errorf("write %.80q: %w", write.Guest, err)
		}
	}
	return nil
}

func (w *Write) validate(mount *Mount) error {
	switch {
	case mount.Mode == ModeRO || mount.Kind == MountTemp:
		return fmt.Errorf("a mount of kind %s, mode %s is not written back", mount.Kind, mount.Mode)
	case (w.Content != nil) != (mount.Kind == MountTar):
		return fmt.Errorf("content does not go with kind %s", mount.Kind)
	case w.Content != nil && len(w.Changes) > 0:
		return fmt.Errorf("changes of kind %s", mount.Kind)
	case len(w.Changes) > ObservationsMax:
		return fmt.Errorf("%d changes, at most %d", len(w.Changes), ObservationsMax)
	}
	if w.Content != nil {
		return w.Content.validate()
	}
	for n, change := range w.Changes {
		if n > 0 && w.Changes[n-1].Path >= change.Path {
			return fmt.Errorf("%.80q is out of order or there twice", change.Path)
		}
		if err := change.validate(mount.Kind); err != nil {
			return fmt.Errorf("%.80q: %w", change.Path, err)
		}
	}
	return nil
}

func (c *Change) validate(mountKind string) error {
	if err := validPath(c.Path); err != nil {
		return err
	}
	if (c.Path == ".") != (mountKind == MountFile) {
		return fmt.Errorf("not a path in a mount of kind %s", mountKind)
	}
	if err := oneOf("was", c.Was, KindAbsent, KindFile, KindDir, KindLink, KindOther); err != nil {
		return err
	}
	if err := oneOf("kind", c.Kind, KindAbsent, KindFile, KindDir, KindLink); err != nil {
		return err
	}
	switch {
	case c.Was == c.Kind && (c.Kind == KindDir || c.Kind == KindAbsent):
		return fmt.Errorf("%s before and after is no change", c.Kind)
	case (c.Content != nil) != (c.Kind == KindFile):
		return fmt.Errorf("content does not go with kind %s", c.Kind)
	case (c.Target != "") != (c.Kind == KindLink):
		return fmt.Errorf("target does not go with kind %s", c.Kind)
	}
	if c.Content != nil {
		if err := c.Content.validate(); err != nil {
			return err
		}
	}
	return validText(c.Target)
}
