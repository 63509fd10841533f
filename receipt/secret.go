package receipt

import (
	"encoding/hex"
	"errors"
	"fmt"

	"carrel/program/seal"
)

// A Secret says which secret a guest was handed to those who have it, and to others
// only its name. Who knows that it is one of a few can try them: it must be as hard to
// guess as a key.
type Secret struct {
	Name       string      `json:"name"`
	Salt       string      `json:"salt"`       // SaltBytes, lower-case hexadecimal
	Commitment seal.Digest `json:"commitment"` // SHA-256 of secretDomain, the salt, the name, a zero byte, the secret
}

// SaltBytes is the size of the salt of a Secret, which nobody can foresee.
const SaltBytes = 32

// secretDomain separates commitments from other uses of a secret.
const secretDomain = "carrel secret 1\x00"

// NewSecret commits to a secret.
func NewSecret(name string, salt [SaltBytes]byte, content []byte) Secret {
	sum := seal.NewHasher()
	for _, part := range [][]byte{[]byte(secretDomain), salt[:], []byte(name), {0}, content} {
		sum.Write(part)
	}
	return Secret{name, hex.EncodeToString(salt[:]), sum.Digest()}
}

// Opens reports whether content is what was committed to.
func (s Secret) Opens(content []byte) bool {
	salt, err := s.salt()
	return err == nil && NewSecret(s.Name, salt, content) == s
}

func (s Secret) salt() (salt [SaltBytes]byte, err error) {
	b, err := hex.DecodeString(s.Salt)
	if err != nil || len(b) != SaltBytes || hex.EncodeToString(b) != s.Salt {
		return salt, fmt.Errorf("%.80q is no salt of %d bytes in lower-case hexadecimal", s.Salt, SaltBytes)
	}
	return [SaltBytes]byte(b), nil
}

func validSecrets(secrets []Secret) error {
	if len(secrets) > SecretsMax {
		return fmt.Errorf("%d secrets, at most %d", len(secrets), SecretsMax)
	}
	for n, s := range secrets {
		if err := validText(s.Name); err != nil {
			return err
		}
		if n > 0 && secrets[n-1].Name >= s.Name {
			return fmt.Errorf("secret %.80q is not in the order of names", s.Name)
		}
		if _, err := s.salt(); err != nil {
			return fmt.Errorf("secret %.80q: %w", s.Name, err)
		}
		if s.Commitment.IsZero() {
			return errors.New("a secret without a commitment")
		}
	}
	return nil
}

// String is for people.
func (s Secret) String() string { return s.Commitment.String() + " salt " + s.Salt }
