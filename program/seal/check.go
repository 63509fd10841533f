package seal

import (
	"fmt"
	"slices"
)

// A Check is what the signatures of an envelope are worth to somebody who
// trusts certain keys.
type Check struct {
	// Good are the trusted keys with a valid signature, each once, in the
	// order of the envelope.
	Good []PublicKey
	// Broken are signatures that claim the id of a trusted key (or claim no
	// id) and are not valid.
	Broken []Signature
	// Unknown are signatures that claim another id. Nothing can be said of
	// them.
	Unknown []Signature
}

// Check tells which trusted keys signed the payload for this context. A
// signature counts for the key that verifies it: the claimed id only chooses
// which key is tried, and a signature with no id is tried with every key. A
// second signature of one key adds nothing. It is an error if the envelope is
// of another payload type.
func (e *Envelope) Check(context Context, trusted []PublicKey) (Check, error) {
	if e.PayloadType != context.PayloadType {
		return Check{}, fmt.Errorf("check signatures: payload type %q, want %q", e.PayloadType, context.PayloadType)
	}
	var check Check
	pae := PAE(e.PayloadType, e.Payload)
	for _, signature := range e.Signatures {
		claimed := claimants(signature.KeyID, trusted)
		valid := slices.IndexFunc(claimed, func(key PublicKey) bool { return key.verify(pae, signature.Sig) })
		switch {
		case valid >= 0:
			if !slices.Contains(check.Good, claimed[valid]) {
				check.Good = append(check.Good, claimed[valid])
			}
		case len(claimed) > 0:
			check.Broken = append(check.Broken, signature)
		default:
			check.Unknown = append(check.Unknown, signature)
		}
	}
	return check, nil
}

// claimants are the keys that a signature with this claimed id may be of.
func claimants(claimed string, trusted []PublicKey) []PublicKey {
	if claimed == "" {
		return trusted
	}
	var keys []PublicKey
	for _, key := range trusted {
		if key.ID().String() == claimed {
			keys = append(keys, key)
		}
	}
	return keys
}
