package receipt

import (
	"fmt"

	"carrel/program/seal"
)

// Sign encodes a statement and puts it into an envelope signed with every key.
// Envelope.Encode gives the bytes of a receipt file.
func Sign(s Statement, keys ...seal.PrivateKey) (*seal.Envelope, error) {
	payload, err := Encode(s)
	if err != nil {
		return nil, err
	}
	return seal.Sign(s.context(), payload, keys...)
}

// Open reads a receipt file: an envelope and the statement in it. No signature is
// checked; Verify or Envelope.Check does that.
func Open(file []byte) (Statement, *seal.Envelope, error) {
	envelope, err := seal.DecodeEnvelope(file)
	if err != nil {
		return nil, nil, fmt.Errorf("open receipt: %w", err)
	}
	s, err := FromEnvelope(envelope)
	if err != nil {
		return nil, nil, fmt.Errorf("open receipt: %w", err)
	}
	return s, envelope, nil
}

// FromEnvelope decodes the statement in an envelope. No signature is checked.
func FromEnvelope(envelope *seal.Envelope) (Statement, error) {
	if envelope.PayloadType != seal.PayloadInToto {
		return nil, fmt.Errorf("payload type is %q, want %q", envelope.PayloadType, seal.PayloadInToto)
	}
	return Decode(envelope.Payload)
}
