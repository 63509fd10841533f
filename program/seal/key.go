package seal

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

const (
	keyIDPrefix     = "ed25519:"
	publicKeyPrefix = "ed25519-public:"
	keyIDBytes      = 16
	// SeedBytes is the size of the secret that a key pair is made from.
	SeedBytes = ed25519.SeedSize
)

// A KeyID names a public key: "ed25519:" and the first 16 bytes of the SHA-256
// of the 32 bytes of the key, as 32 lower-case hexadecimal digits.
//
// An id says which key to try. Trust is in keys, never in ids.
type KeyID [keyIDBytes]byte

// ParseKeyID reads what String writes, and nothing else.
func ParseKeyID(text string) (KeyID, error) {
	digits, ok := strings.CutPrefix(text, keyIDPrefix)
	if !ok {
		return KeyID{}, fmt.Errorf("key id %.80q does not begin with %q", text, keyIDPrefix)
	}
	var id KeyID
	if err := decodeHex(id[:], digits); err != nil {
		return KeyID{}, fmt.Errorf("key id: %w", err)
	}
	return id, nil
}

func (id KeyID) String() string { return keyIDPrefix + hex.EncodeToString(id[:]) }

// Short is a form for people: the prefix and the first 12 digits.
func (id KeyID) Short() string { return keyIDPrefix + hex.EncodeToString(id[:])[:shortHexChars] }

// MarshalText writes the text form, also in JSON.
func (id KeyID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the text form.
func (id *KeyID) UnmarshalText(text []byte) (err error) {
	*id, err = ParseKeyID(string(text))
	return err
}

// A PublicKey checks signatures (Ed25519, RFC 8032). It is written
// "ed25519-public:" and 64 lower-case hexadecimal digits.
type PublicKey [ed25519.PublicKeySize]byte

// ParsePublicKey reads what String writes, and nothing else.
func ParsePublicKey(text string) (PublicKey, error) {
	digits, ok := strings.CutPrefix(text, publicKeyPrefix)
	if !ok {
		return PublicKey{}, fmt.Errorf("public key %.80q does not begin with %q", text, publicKeyPrefix)
	}
	var key PublicKey
	if err := decodeHex(key[:], digits); err != nil {
		return PublicKey{}, fmt.Errorf("public key: %w", err)
	}
	return key, nil
}

func (k PublicKey) String() string { return publicKeyPrefix + hex.EncodeToString(k[:]) }

// ID is the name of the key.
func (k PublicKey) ID() KeyID {
	sum := sha256.Sum256(k[:])
	return KeyID(sum[:keyIDBytes])
}

// MarshalText writes the text form, also in JSON.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the text form.
func (k *PublicKey) UnmarshalText(text []byte) (err error) {
	*k, err = ParsePublicKey(string(text))
	return err
}

// verify checks a signature over a pre-authentication encoding.
func (k PublicKey) verify(pae, sig []byte) bool {
	return len(sig) == ed25519.SignatureSize && ed25519.Verify(k[:], pae, sig)
}

// A PrivateKey signs envelopes. It prints as its key id, so that no log holds a
// secret.
type PrivateKey struct {
	key ed25519.PrivateKey
}

// NewPrivateKey makes a key pair from 32 secret bytes.
func NewPrivateKey(seed [SeedBytes]byte) PrivateKey {
	return PrivateKey{key: ed25519.NewKeyFromSeed(seed[:])}
}

// GenerateKey makes a key pair from the next 32 bytes of random, which must be
// a source fit for secrets (crypto/rand.Reader).
func GenerateKey(random io.Reader) (PrivateKey, error) {
	var seed [SeedBytes]byte
	if _, err := io.ReadFull(random, seed[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("read randomness for a key: %w", err)
	}
	return NewPrivateKey(seed), nil
}

// IsZero reports whether k is no key at all.
func (k PrivateKey) IsZero() bool { return k.key == nil }

// Seed is the secret that the key pair is made from.
func (k PrivateKey) Seed() [SeedBytes]byte { return [SeedBytes]byte(k.key.Seed()) }

// Public is the half that everybody may know.
func (k PrivateKey) Public() PublicKey { return PublicKey(k.key[SeedBytes:]) }

// ID is the name of the key.
func (k PrivateKey) ID() KeyID { return k.Public().ID() }

// String is the key id, never the secret.
func (k PrivateKey) String() string {
	if k.IsZero() {
		return ""
	}
	return k.ID().String()
}

// Format prints the key id for every verb.
func (k PrivateKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "seal.PrivateKey("+k.String()+")") }

// MarshalText refuses: a secret is written by package keys alone.
func (k PrivateKey) MarshalText() ([]byte, error) {
	return nil, fmt.Errorf("write private key %s: a secret is not text", k)
}

func (k PrivateKey) sign(pae []byte) []byte { return ed25519.Sign(k.key, pae) }
