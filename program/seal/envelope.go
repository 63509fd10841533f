package seal

import (
	"encoding/base64"
	"fmt"
)

// An Envelope is signed bytes with their type: a DSSE envelope. Reading one
// checks no signature; Check does.
type Envelope struct {
	PayloadType string
	Payload     []byte
	Signatures  []Signature
}

// A Signature is made by one key over the pre-authentication encoding of an
// envelope. KeyID is what the envelope says: a hint, not signed, maybe "" and
// maybe not one of our ids.
type Signature struct {
	KeyID string
	Sig   []byte
}

// Sign puts payload into an envelope and signs it with every key, in order. It
// refuses to sign without a key, twice with one key, or more than the limits
// allow.
func Sign(context Context, payload []byte, keys ...PrivateKey) (*Envelope, error) {
	if len(keys) == 0 || len(keys) > SignaturesMax {
		return nil, fmt.Errorf("sign %s: %d keys, want 1 to %d", context.Name, len(keys), SignaturesMax)
	}
	if len(payload) > PayloadBytesMax {
		return nil, fmt.Errorf("sign %s: payload of %d bytes, at most %d", context.Name, len(payload), PayloadBytesMax)
	}
	if !registered(context) {
		return nil, fmt.Errorf("sign %q: not a registered signing context", context.Name)
	}
	envelope := &Envelope{PayloadType: context.PayloadType, Payload: payload}
	pae := PAE(context.PayloadType, payload)
	seen := map[PublicKey]bool{}
	for _, key := range keys {
		if key.IsZero() || seen[key.Public()] {
			return nil, fmt.Errorf("sign %s: key %q is empty or given twice", context.Name, key)
		}
		seen[key.Public()] = true
		envelope.Signatures = append(envelope.Signatures, Signature{KeyID: key.ID().String(), Sig: key.sign(pae)})
	}
	return envelope, nil
}

// PAE is the pre-authentication encoding of DSSE version 1, which is what a
// signature is made over: "DSSEv1", then the size in bytes (decimal) and the
// bytes of the payload type and of the payload, separated by single spaces.
func PAE(payloadType string, payload []byte) []byte {
	pae := fmt.Appendf(nil, "DSSEv1 %d %s %d ", len(payloadType), payloadType, len(payload))
	return append(pae, payload...)
}

// Encode writes the envelope as JSON: one line in canonical form (see
// CanonicalJSON), so members are in the order payload, payloadType, signatures.
func (e *Envelope) Encode() ([]byte, error) {
	type signature struct {
		KeyID string `json:"keyid"`
		Sig   string `json:"sig"`
	}
	text := struct {
		Payload     string      `json:"payload"`
		PayloadType string      `json:"payloadType"`
		Signatures  []signature `json:"signatures"`
	}{base64.StdEncoding.EncodeToString(e.Payload), e.PayloadType, nil}
	for _, s := range e.Signatures {
		text.Signatures = append(text.Signatures, signature{s.KeyID, base64.StdEncoding.EncodeToString(s.Sig)})
	}
	line, err := Marshal(text)
	if err != nil {
		return nil, fmt.Errorf("encode envelope: %w", err)
	}
	return append(line, '\n'), nil
}
