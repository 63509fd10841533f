package receipt

import (
	"strings"
	"testing"
)

// TestSecret opens a commitment with its secret, and with nothing else.
func TestSecret(t *testing.T) {
	s := NewSecret("a", [SaltBytes]byte{7}, []byte("open sesame"))
	if !s.Opens([]byte("open sesame")) {
		t.Error("its own secret does not open it")
	}
	for name, other := range map[string]Secret{
		"another salt":   NewSecret("a", [SaltBytes]byte{8}, []byte("open sesame")),
		"another name":   NewSecret("b", [SaltBytes]byte{7}, []byte("open sesame")),
		"another border": NewSecret("a\x00o", [SaltBytes]byte{7}, []byte("pen sesame")),
		"another secret": NewSecret("a", [SaltBytes]byte{7}, []byte("open sesam")),
	} {
		if other.Commitment == s.Commitment {
			t.Errorf("%s, and the same commitment", name)
		}
	}
	for _, content := range []string{"", "open sesame "} {
		if s.Opens([]byte(content)) {
			t.Errorf("%q opens it", content)
		}
	}
}

// TestSecretsRefused has secrets that no receipt can have.
func TestSecretsRefused(t *testing.T) {
	for _, c := range []struct {
		name, want string
		change     func(*Receipt)
	}{
		{"twice", "not in the order of names", func(r *Receipt) { r.Input.Secrets[1] = r.Input.Secrets[0] }},
		{"order", "not in the order of names", func(r *Receipt) { s := r.Input.Secrets; s[0], s[1] = s[1], s[0] }},
		{"salt", "is no salt of 32 bytes", func(r *Receipt) { r.Input.Secrets[0].Salt = "00" }},
		{"upper case", "is no salt of 32 bytes", func(r *Receipt) { r.Input.Secrets[0].Salt = strings.Repeat("AA", 32) }},
		{"commitment", "without a commitment", func(r *Receipt) { r.Input.Secrets[0].Commitment = [32]byte{} }},
		{"name", "UTF-8", func(r *Receipt) { r.Input.Secrets[0].Name = "\xff" }},
		{"many", "at most 1024", func(r *Receipt) { r.Input.Secrets = make([]Secret, SecretsMax+1) }},
	} {
		r := confidential()
		c.change(r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
	}
}
