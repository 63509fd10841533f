package keys

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"carrel/program/seal"
)

const (
	keyMagic = "carrel-key-v1"
	// NameBytesMax bounds the name of a key.
	NameBytesMax = 128
)

// checkName accepts what fits on the rest of a line: not empty, printable, no
// space at either end.
func checkName(name string) error {
	switch {
	case name == "" || len(name) > NameBytesMax:
		return fmt.Errorf("name of %d bytes, want 1 to %d", len(name), NameBytesMax)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return fmt.Errorf("name %q has characters that do not print", name)
	case strings.TrimSpace(name) != name:
		return fmt.Errorf("name %q begins or ends with a space", name)
	}
	return nil
}

// formatKey is the text of a key file: five lines.
func formatKey(key seal.PrivateKey, name string) []byte {
	seed := key.Seed()
	return fmt.Appendf(nil, "%s\nid %s\npublic %s\nsecret %s\nname %s\n",
		keyMagic, key.ID(), key.Public(), hex.EncodeToString(seed[:]), name)
}

// parseKey reads what formatKey writes, and nothing else.
func parseKey(text []byte) (seal.PrivateKey, string, error) {
	lines := strings.Split(string(text), "\n")
	if lines[0] != keyMagic {
		return seal.PrivateKey{}, "", fmt.Errorf("line 1: want %q", keyMagic)
	}
	if len(lines) != 6 {
		return seal.PrivateKey{}, "", errors.New("want five lines")
	}
	secret, _ := strings.CutPrefix(lines[3], "secret ")
	seed, err := hex.DecodeString(secret)
	if err != nil || len(seed) != seal.SeedBytes {
		return seal.PrivateKey{}, "", errors.New("line 4: bad secret") // never shown
	}
	name, _ := strings.CutPrefix(lines[4], "name ")
	if err := checkName(name); err != nil {
		return seal.PrivateKey{}, "", fmt.Errorf("line 5: %w", err)
	}
	key := seal.NewPrivateKey([seal.SeedBytes]byte(seed))
	for n, want := range strings.Split(string(formatKey(key, name)), "\n") {
		if lines[n] != want {
			return seal.PrivateKey{}, "", fmt.Errorf("line %d does not fit the secret", n+1)
		}
	}
	return key, name, nil
}
