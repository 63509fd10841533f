package seal

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

const (
	digestPrefix = "sha256:"
	// DigestBytes is the size of a digest.
	DigestBytes = sha256.Size
	// shortHexChars is how much of a digest or key id people are shown.
	shortHexChars = 12
)

// A Digest is a SHA-256 hash. It is written "sha256:" and 64 lower-case
// hexadecimal digits. The zero Digest stands for "none" and has no text.
type Digest [DigestBytes]byte

// Sum is the digest of data.
func Sum(data []byte) Digest { return sha256.Sum256(data) }

// ParseDigest reads what String writes, and nothing else: no upper case, no
// other algorithm, not the zero digest.
func ParseDigest(text string) (Digest, error) {
	digits, ok := strings.CutPrefix(text, digestPrefix)
	if !ok {
		return Digest{}, fmt.Errorf("digest %.80q does not begin with %q", text, digestPrefix)
	}
	return ParseHex(digits)
}

// ParseHex reads the 64 hexadecimal digits alone, as in names of blobs.
func ParseHex(digits string) (Digest, error) {
	var d Digest
	if err := decodeHex(d[:], digits); err != nil {
		return Digest{}, fmt.Errorf("digest: %w", err)
	}
	if d.IsZero() {
		return Digest{}, fmt.Errorf("digest is all zeros")
	}
	return d, nil
}

// decodeHex fills dst from exactly as many lower-case digits as it needs.
func decodeHex(dst []byte, digits string) error {
	if len(digits) != 2*len(dst) {
		return fmt.Errorf("%d hexadecimal digits, want %d", len(digits), 2*len(dst))
	}
	if strings.ContainsAny(digits, "ABCDEF") {
		return fmt.Errorf("upper-case hexadecimal digits in %.80q", digits)
	}
	if _, err := hex.Decode(dst, []byte(digits)); err != nil {
		return fmt.Errorf("bad hexadecimal digits in %.80q", digits)
	}
	return nil
}

// String is the text form, "" for the zero digest.
func (d Digest) String() string {
	if d.IsZero() {
		return ""
	}
	return digestPrefix + d.Hex()
}

// Hex is the 64 digits without the prefix.
func (d Digest) Hex() string { return hex.EncodeToString(d[:]) }

// Short is a form for people: the prefix and the first 12 digits. It names
// nothing: programs never read it.
func (d Digest) Short() string {
	if d.IsZero() {
		return ""
	}
	return digestPrefix + d.Hex()[:shortHexChars]
}

// IsZero reports whether d stands for "none".
func (d Digest) IsZero() bool { return d == Digest{} }

// MarshalText writes the text form, also in JSON. The zero digest has none: it
// is an error to write it.
func (d Digest) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, fmt.Errorf("write digest: it is zero")
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads the text form.
func (d *Digest) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDigest(string(text))
	return err
}

// A Hasher is a writer that digests and counts what it is given.
type Hasher struct {
	hash hash.Hash
	size uint64
}

// NewHasher returns a Hasher that has seen nothing.
func NewHasher() *Hasher { return &Hasher{hash: sha256.New()} }

// Write never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	h.size += uint64(len(p))
	return h.hash.Write(p)
}

// Digest is the digest of what was written so far.
func (h *Hasher) Digest() Digest { return Digest(h.hash.Sum(nil)) }

// Size is how many bytes were written so far.
func (h *Hasher) Size() uint64 { return h.size }
