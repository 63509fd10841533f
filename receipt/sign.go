package receipt

import (
	"fmt"

	"carrel/program/seal"
)

// Sign encodes the receipt as a statement and puts it into an envelope signed
// with every key. Envelope.Encode gives the bytes of a receipt file.
func Sign(r *Receipt, keys ...seal.PrivateKey) (*seal.Envelope, error) {
	payload, err := Encode(r)
	if err != nil {
		return nil, err
	}
	return seal.Sign(seal.Receipt, payload, keys...)
}

// Open reads a receipt file: an envelope and the receipt in it. No signature is
// checked; Verify or Envelope.Check does that.
func Open(file []byte) (*Receipt, *seal.Envelope, error) {
	envelope, err := seal.DecodeEnvelope(file)
	if err != nil {
		return nil, nil, fmt.Errorf("open receipt: %w", err)
	}
	r, err := FromEnvelope(envelope)
	if err != nil {
		return nil, nil, fmt.Errorf("open receipt: %w", err)
	}
	return r, envelope, nil
}

// FromEnvelope decodes the receipt in an envelope. No signature is checked.
func FromEnvelope(envelope *seal.Envelope) (*Receipt, error) {
	if envelope.PayloadType != seal.Receipt.PayloadType {
		return nil, fmt.Errorf("payload type is %q, want %q", envelope.PayloadType, seal.Receipt.PayloadType)
	}
	return Decode(envelope.Payload)
}
