package posix

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Observations are all that was learnt of mounted trees, sorted by mount and
// path. Call it after Changes, which may have to look further.
func (s *System) Observations() []Observation {
	var all []Observation
	for _, m := range s.mounts {
		for _, o := range m.observed {
			all = append(all, *o)
		}
	}
	slices.SortFunc(all, func(a, b Observation) int {
		return cmp.Or(cmp.Compare(a.Mount, b.Mount), strings.Compare(a.Path, b.Path))
	})
	return all
}

// A NotObservedError reports that a program that is replayed looked at
// something that was not observed: it does not do what it did before, or the
// record is not complete.
type NotObservedError struct {
	Mount int
	Path  string
	What  string // "stat", "list", "link" or "read"
}

func (e *NotObservedError) Error() string {
	return fmt.Sprintf("%s %s in mount %d: not in the receipt", e.What, e.Path, e.Mount)
}

// Replay is a tree that holds what was observed of one mount and nothing else:
// whatever else is looked at is a *NotObservedError. blob gives content by its
// digest, which is checked. Observations of other mounts are passed over; an
// error says which observation of this one cannot be true.
func Replay(observations []Observation, mount int, blob func(digest string) ([]byte, error)) (Tree, error) {
	t := &replay{mount: mount, observed: map[string]*Observation{}, blob: blob}
	for i := range observations {
		o := &observations[i]
		if o.Mount != mount {
			continue
		}
		if err := o.check(); err != nil {
			return nil, fmt.Errorf("observation of %q in mount %d: %w", o.Path, mount, err)
		}
		if _, twice := t.observed[o.Path]; twice {
			return nil, fmt.Errorf("observation of %q in mount %d: occurs twice", o.Path, mount)
		}
		t.observed[o.Path] = o
	}
	return t, nil
}

// check reports what no run could have observed.
func (o *Observation) check() error {
	switch {
	case !fs.ValidPath(o.Path):
		return fmt.Errorf("not a path")
	case o.Kind > Other:
		return fmt.Errorf("unknown kind %d", o.Kind)
	case o.Kind != File && (o.Size != 0 || o.Digest != ""), o.Size < 0:
		return fmt.Errorf("size or digest of a %v", o.Kind)
	case o.Kind != Dir && (o.Listed || len(o.Entries) > 0), !o.Listed && len(o.Entries) > 0:
		return fmt.Errorf("listing of a %v", o.Kind)
	case o.Kind != Link && o.Target != "":
		return fmt.Errorf("target of a %v", o.Kind)
	}
	for i, e := range o.Entries {
		if err := checkName(e.Name); err != nil {
			return err
		}
		if e.Kind == Absent || e.Kind > Other || i > 0 && e.Name <= o.Entries[i-1].Name {
			return fmt.Errorf("entry %q", e.Name)
		}
	}
	return nil
}

// replay is the tree of Replay.
type replay struct {
	mount    int
	observed map[string]*Observation
	blob     func(digest string) ([]byte, error)
}

func (t *replay) missing(what, name string) error {
	return &NotObservedError{Mount: t.mount, Path: name, What: what}
}

func (t *replay) Stat(name string) (Kind, int64, error) {
	if o, ok := t.observed[name]; ok {
		if o.Kind == Absent {
			return 0, 0, fs.ErrNotExist
		}
		return o.Kind, o.Size, nil
	}
	parent, ok := t.observed[path.Dir(name)]
	if !ok || !parent.Listed || name == "." {
		return 0, 0, t.missing("stat", name)
	}
	i, ok := slices.BinarySearchFunc(parent.Entries, path.Base(name), func(e Entry, name string) int {
		return strings.Compare(e.Name, name)
	})
	switch {
	case !ok:
		return 0, 0, fs.ErrNotExist
	case parent.Entries[i].Kind == File:
		return 0, 0, t.missing("stat", name) // its size is not known
	}
	return parent.Entries[i].Kind, 0, nil
}

func (t *replay) List(name string, limit int) ([]Entry, error) {
	o, ok := t.observed[name]
	if !ok || !o.Listed {
		return nil, t.missing("list", name)
	}
	if len(o.Entries) > limit {
		return nil, fmt.Errorf("more than %d entries", limit)
	}
	return o.Entries, nil
}

func (t *replay) Link(name string) (string, error) {
	o, ok := t.observed[name]
	if !ok || o.Target == "" {
		return "", t.missing("link", name)
	}
	return o.Target, nil
}

func (t *replay) Read(name string, size int64) ([]byte, error) {
	o, ok := t.observed[name]
	if !ok || o.Digest == "" {
		return nil, t.missing("read", name)
	}
	content, err := t.blob(o.Digest)
	if err != nil {
		return nil, fmt.Errorf("fetch content: %w", err)
	}
	if digest := digestOf(content); digest != o.Digest {
		return nil, fmt.Errorf("content is %s, not %s", digest, o.Digest)
	}
	return content, nil
}
