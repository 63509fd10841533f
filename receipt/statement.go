package receipt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"

	"carrel/program/seal"
)

// statement is the in-toto Statement v1.
type statement struct {
	Type          string    `json:"_type"`
	Predicate     Statement `json:"predicate"`
	PredicateType string    `json:"predicateType"`
	Subject       []Subject `json:"subject"`
}

// A Subject is an output, named the way in-toto names artifacts.
type Subject struct {
	Name   string     `json:"name"`
	Digest subjectSet `json:"digest"`
}

type subjectSet struct {
	SHA256 string `json:"sha256"` // hexadecimal digits alone, as in-toto wants
}

// Subjects is of a Statement: stdout, stderr, then every tar and file written
// back, by its path in the guest.
func (r *Receipt) Subjects() []Subject {
	return append(r.Result.streams(), r.Result.files()...)
}

// Subjects is of a Statement: every tar and file that is there in the end, by its
// path in the guest, in the order of these paths; or, if there is none, stdout and
// stderr of the last turn.
func (b *Build) Subjects() []Subject {
	last := map[string]Subject{}
	for _, turn := range b.Steps {
		for _, write := range turn.Result.Writes {
			for _, change := range write.Changes {
				delete(last, path.Join(write.Guest, change.Path))
			}
		}
		for _, file := range turn.Result.files() {
			last[file.Name] = file
		}
	}
	if len(last) == 0 {
		return b.Steps[len(b.Steps)-1].Result.streams()
	}
	var subjects []Subject
	for _, name := range slices.Sorted(maps.Keys(last)) {
		subjects = append(subjects, last[name])
	}
	return subjects
}

func (r *Result) streams() []Subject {
	return []Subject{{"stdout", subjectSet{r.Stdout.Digest.Hex()}}, {"stderr", subjectSet{r.Stderr.Digest.Hex()}}}
}

// files are what a turn wrote back, by their paths in the guest.
func (r *Result) files() (subjects []Subject) {
	for _, write := range r.Writes {
		if write.Content != nil {
			subjects = append(subjects, Subject{write.Guest, subjectSet{write.Content.Digest.Hex()}})
		}
		for _, change := range write.Changes {
			if change.Content != nil {
				subjects = append(subjects, Subject{path.Join(write.Guest, change.Path), subjectSet{change.Content.Digest.Hex()}})
			}
		}
	}
	return subjects
}

// Encode writes a statement as an in-toto statement, the payload of its
// envelope: canonical JSON (seal.CanonicalJSON), the same bytes for the same
// receipt. It is an error if it does not hold (Validate) or exceeds
// seal.PayloadBytesMax.
func Encode(s Statement) ([]byte, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	payload, err := encode(s)
	if err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	if len(payload) > seal.PayloadBytesMax {
		return nil, fmt.Errorf("encode receipt: %d bytes, at most %d", len(payload), seal.PayloadBytesMax)
	}
	return payload, nil
}

func encode(s Statement) ([]byte, error) {
	return seal.Marshal(statement{Type: statementType, Predicate: s, PredicateType: s.context().PredicateType, Subject: s.Subjects()})
}

// Decode reads what Encode writes, and nothing else: whatever is not byte for
// byte the canonical form is refused, so nothing unknown, doubled or misspelt
// is ever covered by a signature and then not seen.
func Decode(payload []byte) (Statement, error) {
	s, err := decode(payload)
	if err != nil {
		return nil, fmt.Errorf("decode receipt: %w", err)
	}
	return s, nil
}

func decode(payload []byte) (Statement, error) {
	if len(payload) > seal.PayloadBytesMax {
		return nil, fmt.Errorf("%d bytes, at most %d", len(payload), seal.PayloadBytesMax)
	}
	if err := seal.CheckValues(payload, seal.JSONValuesMax); err != nil {
		return nil, err
	}
	var head struct {
		Type          string `json:"_type"`
		PredicateType string `json:"predicateType"`
	}
	if err := json.Unmarshal(payload, &head); err != nil {
		return nil, err
	}
	predicate := newStatement(head.PredicateType)
	if head.Type != statementType || predicate == nil {
		return nil, fmt.Errorf("a statement of type %.80q about %.80q, want %q about %q or %q",
			head.Type, head.PredicateType, statementType, seal.PredicateReceipt, seal.PredicateBuild)
	}
	s := statement{Predicate: predicate}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return nil, err
	}
	if s.Predicate == nil {
		return nil, fmt.Errorf("no predicate")
	}
	if err := predicate.Validate(); err != nil {
		return nil, err
	}
	canonical, err := encode(predicate)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, payload) {
		return nil, fmt.Errorf("not in canonical form from byte %d on", firstDifference(canonical, payload))
	}
	return predicate, nil
}

func firstDifference(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
