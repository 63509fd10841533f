package receipt

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"

	attestation "github.com/in-toto/attestation/go/v1"
	"github.com/secure-systems-lab/go-securesystemslib/dsse"
	"google.golang.org/protobuf/encoding/protojson"

	"carrel/program/seal"
)

// A verifier checks our signatures for the DSSE library.
type verifier struct{ public seal.PublicKey }

func (v verifier) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(v.public[:], data, sig) {
		return errors.New("bad signature")
	}
	return nil
}

func (v verifier) KeyID() (string, error)   { return v.public.ID().String(), nil }
func (v verifier) Public() crypto.PublicKey { return ed25519.PublicKey(v.public[:]) }

// TestForeignReaders reads a receipt with nothing of ours: the DSSE library
// checks the envelope, the in-toto library the statement.
func TestForeignReaders(t *testing.T) {
	for name, r := range map[string]*Receipt{"full": sample(), "small": small()} {
		t.Run(name, func(t *testing.T) {
			file, err := mustSign(t, r, testKey(1)).Encode()
			if err != nil {
				t.Fatal(err)
			}
			var envelope dsse.Envelope
			if err := json.Unmarshal(file, &envelope); err != nil {
				t.Fatal(err)
			}
			envelopes, err := dsse.NewEnvelopeVerifier(verifier{testKey(1).Public()})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := envelopes.Verify(t.Context(), &envelope); err != nil {
				t.Fatal(err)
			}
			payload, err := envelope.DecodeB64Payload()
			if err != nil {
				t.Fatal(err)
			}
			var statement attestation.Statement
			if err := protojson.Unmarshal(payload, &statement); err != nil {
				t.Fatal(err)
			}
			if err := statement.Validate(); err != nil {
				t.Fatal(err)
			}
			if statement.GetPredicateType() != seal.PredicateReceipt || statement.GetType() != attestation.StatementTypeUri {
				t.Errorf("got %s about %s", statement.GetType(), statement.GetPredicateType())
			}
			subjects := r.Subjects()
			if len(statement.GetSubject()) != len(subjects) {
				t.Fatalf("got %d subjects, want %d", len(statement.GetSubject()), len(subjects))
			}
			for n, subject := range statement.GetSubject() {
				if subject.GetName() != subjects[n].Name || subject.GetDigest()["sha256"] != subjects[n].Digest.SHA256 {
					t.Errorf("got %v, want %v", subject, subjects[n])
				}
			}
			result := statement.GetPredicate().GetFields()["result"].GetStructValue().GetFields()
			if result["class"].GetStringValue() != r.Result.Class {
				t.Errorf("got %v", result)
			}
		})
	}
}
