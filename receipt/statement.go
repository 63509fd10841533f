package receipt

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"

	"carrel/program/seal"
)

// statement is the in-toto Statement v1.
type statement struct {
	Type          string    `json:"_type"`
	Predicate     *Receipt  `json:"predicate"`
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

// Subjects are the outputs that the statement is about: stdout, stderr, then
// every tar and file written back, by its path in the guest. They follow from
// the result; the decoder checks that they do.
func (r *Receipt) Subjects() []Subject {
	subjects := []Subject{
		{"stdout", subjectSet{r.Result.Stdout.Digest.Hex()}},
		{"stderr", subjectSet{r.Result.Stderr.Digest.Hex()}},
	}
	for _, write := range r.Result.Writes {
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

// Encode writes the receipt as an in-toto statement, the payload of its
// envelope: canonical JSON (seal.CanonicalJSON), the same bytes for the same
// receipt. It is an error if the receipt does not hold (Validate) or exceeds
// seal.PayloadBytesMax.
func Encode(r *Receipt) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	payload, err := encode(r)
	if err != nil {
		return nil, fmt.Errorf("encode receipt: %w", err)
	}
	if len(payload) > seal.PayloadBytesMax {
		return nil, fmt.Errorf("encode receipt: %d bytes, at most %d", len(payload), seal.PayloadBytesMax)
	}
	return payload, nil
}

func encode(r *Receipt) ([]byte, error) {
	return seal.Marshal(statement{Type: statementType, Predicate: r, PredicateType: PredicateType, Subject: r.Subjects()})
}

// Decode reads what Encode writes, and nothing else: whatever is not byte for
// byte the canonical form is refused, so nothing unknown, doubled or misspelt
// is ever covered by a signature and then not seen.
func Decode(payload []byte) (*Receipt, error) {
	r, err := decode(payload)
	if err != nil {
		return nil, fmt.Errorf("decode receipt: %w", err)
	}
	return r, nil
}

func decode(payload []byte) (*Receipt, error) {
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
	if head.Type != statementType || head.PredicateType != PredicateType {
		return nil, fmt.Errorf("a statement of type %.80q about %.80q, want %q about %q",
			head.Type, head.PredicateType, statementType, PredicateType)
	}
	s := statement{Predicate: &Receipt{}}
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return nil, err
	}
	if s.Predicate == nil {
		return nil, fmt.Errorf("no predicate")
	}
	if err := s.Predicate.Validate(); err != nil {
		return nil, err
	}
	canonical, err := encode(s.Predicate)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(canonical, payload) {
		return nil, fmt.Errorf("not in canonical form from byte %d on", firstDifference(canonical, payload))
	}
	return s.Predicate, nil
}

func firstDifference(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
