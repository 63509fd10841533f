package seal

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// A foreignKey is an Ed25519 key as the DSSE library of the in-toto project
// sees one.
type foreignKey struct{ private ed25519.PrivateKey }

func (k foreignKey) Sign(_ context.Context, data []byte) ([]byte, error) {
	return ed25519.Sign(k.private, data), nil
}

func (k foreignKey) Verify(_ context.Context, data, sig []byte) error {
	if !ed25519.Verify(k.private.Public().(ed25519.PublicKey), data, sig) {
		return errors.New("bad signature")
	}
	return nil
}

func (k foreignKey) KeyID() (string, error)   { return testKey(1).ID().String(), nil }
func (k foreignKey) Public() crypto.PublicKey { return k.private.Public() }

// TestForeignEnvelopes lets the DSSE library read ours, and us read its.
func TestForeignEnvelopes(t *testing.T) {
	seed := testKey(1).Seed()
	key := foreignKey{ed25519.NewKeyFromSeed(seed[:])}
	payload := []byte(`{"a":"<&>"}`)

	var ours dsse.Envelope
	if err := json.Unmarshal(encode(t, sign(t, string(payload), testKey(1))), &ours); err != nil {
		t.Fatal(err)
	}
	verifier, err := dsse.NewEnvelopeVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := verifier.Verify(t.Context(), &ours)
	if err != nil || len(accepted) != 1 || accepted[0].KeyID != testKey(1).ID().String() {
		t.Errorf("ours: %v, %v", accepted, err)
	}
	ours.Payload = "AAAA"
	if _, err := verifier.Verify(t.Context(), &ours); err == nil {
		t.Error("the library accepts anything")
	}

	signer, err := dsse.NewEnvelopeSigner(key)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := signer.SignPayload(t.Context(), PayloadInToto, payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(theirs, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	envelope, err := DecodeEnvelope(text)
	if err != nil {
		t.Fatal(err)
	}
	check, err := envelope.Check(Receipt, []PublicKey{testKey(1).Public()})
	if err != nil || len(check.Good) != 1 || string(envelope.Payload) != string(payload) {
		t.Errorf("theirs: %+v, %v", check, err)
	}
}
