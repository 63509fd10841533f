package receipt

import (
	"errors"
	"fmt"
	"path"
	"slices"

	"carrel/program/seal"
)

// A Statement is what the payload of a receipt file says: a *Receipt, of one
// turn, or a *Build, of several.
type Statement interface {
	// Turns are what ran, in order.
	Turns() []Turn
	// Subjects are the outputs that the statement is about. They follow from the
	// results; the decoder checks that they do.
	Subjects() []Subject
	// Validate reports the first thing that cannot be so. The encoder and the
	// decoder both call it.
	Validate() error

	context() seal.Context
}

// A Turn is one run of a program.
type Turn struct {
	Input  Input  `json:"input"`
	Result Result `json:"result"`
}

// A Build is one command that took several turns: a compiler for each source,
// and a linker. What a turn wrote is there for those after it.
type Build struct {
	// Command is the command as it was given, the tool's name first. It is what
	// this host claims: what counts is the turns that it came to.
	Command []string `json:"command"`
	Steps   []Turn   `json:"turns"` // at least one
	Remarks Remarks  `json:"remarks"`
}

// Turns is of a Statement: the one turn.
func (r *Receipt) Turns() []Turn { return []Turn{{r.Input, r.Result}} }

// Turns is of a Statement.
func (b *Build) Turns() []Turn { return b.Steps }

func (*Receipt) context() seal.Context { return seal.Receipt }
func (*Build) context() seal.Context   { return seal.Build }

// newStatement is an empty statement about what a predicate type names.
func newStatement(predicateType string) Statement {
	switch predicateType {
	case seal.PredicateReceipt:
		return &Receipt{}
	case seal.PredicateBuild:
		return &Build{}
	}
	return nil
}

// Validate is of a Statement. It refuses, beside what no turn can be, a turn
// that found or read something else where one before it wrote.
func (b *Build) Validate() error {
	if len(b.Command) == 0 {
		return errors.New("command is empty")
	}
	if err := validTexts(b.Command); err != nil {
		return fmt.Errorf("command: %w", err)
	}
	if len(b.Steps) == 0 || len(b.Steps) > TurnsMax {
		return fmt.Errorf("%d turns, want 1 to %d", len(b.Steps), TurnsMax)
	}
	written := map[string]Change{}
	for n := range b.Steps {
		if err := b.Steps[n].validate(written); err != nil {
			return fmt.Errorf("turn %d: %w", n+1, err)
		}
	}
	if err := b.Remarks.validate(); err != nil {
		return fmt.Errorf("remarks: %w", err)
	}
	return nil
}

// validate checks a turn that comes after others, which have written what is at
// these paths of the guest, and adds what it wrote.
func (t *Turn) validate(written map[string]Change) error {
	if err := t.Input.Validate(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if err := t.Result.validate(&t.Input); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	for _, m := range t.Input.Mounts {
		if was, ok := written[path.Clean(m.Guest)]; ok && m.Content != nil && (was.Content == nil || *was.Content != *m.Content) {
			return fmt.Errorf("mount %.80q is not what a turn before left there", m.Guest)
		}
		for _, o := range m.Observed {
			if was, ok := written[path.Join(m.Guest, o.Path)]; ok && !was.leaves(&o) {
				return fmt.Errorf("mount %.80q: %.80q is not what a turn before left there", m.Guest, o.Path)
			}
		}
	}
	for _, w := range t.Result.Writes {
		if w.Content != nil {
			written[path.Clean(w.Guest)] = Change{Kind: MountTar, Content: w.Content}
		}
		for _, c := range w.Changes {
			written[path.Join(w.Guest, c.Path)] = c
		}
	}
	return nil
}

// leaves reports whether it may be what a change left that was observed. Sizes do
// not count: a list of dependencies has other names for the host than it has for
// tools (package toolchain).
func (c *Change) leaves(o *Observation) bool {
	if c.Kind != o.Kind || o.Target != "" && c.Target != o.Target {
		return false
	}
	return c.Content == nil || o.Digest.IsZero() || c.Content.Digest == o.Digest
}

// Needs are the bytes that somebody needs to run a statement's turns again, each
// once: what its inputs name, but not what a turn before has made.
func Needs(s Statement) []Blob {
	var needs []Blob
	made := map[seal.Digest]bool{}
	for _, turn := range s.Turns() {
		for _, blob := range turn.Input.Blobs() {
			if !made[blob.Digest] {
				needs = append(needs, blob)
			}
		}
		for _, blob := range turn.Result.Blobs() {
			made[blob.Digest] = true
		}
	}
	return distinct(needs)
}

// Blobs are all the bytes that a statement names, each once.
func Blobs(s Statement) []Blob {
	var all []Blob
	for _, turn := range s.Turns() {
		all = slices.Concat(all, turn.Input.Blobs(), turn.Result.Blobs())
	}
	return distinct(all)
}
