package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// The first test vector of RFC 8032, section 7.1.
const (
	rfcSeed   = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
	rfcPublic = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
	// printf %s $rfcPublic | xxd -r -p | sha256sum | cut -c1-32
	rfcID = "ed25519:21fe31dfa154a261626bf854046fd227"
)

func rfcKey(t testing.TB) PrivateKey {
	seed, err := hex.DecodeString(rfcSeed)
	if err != nil {
		t.Fatal(err)
	}
	return NewPrivateKey([SeedBytes]byte(seed))
}

func TestKey(t *testing.T) {
	key := rfcKey(t)
	public := key.Public()
	if public.String() != "ed25519-public:"+rfcPublic || key.ID().String() != rfcID || public.ID() != key.ID() {
		t.Errorf("got %s, %s", public, key.ID())
	}
	if key.ID().Short() != rfcID[:20] {
		t.Errorf("got %s", key.ID().Short())
	}
	seed := key.Seed()
	again, err := GenerateKey(bytes.NewReader(seed[:]))
	if err != nil || again.Public() != public {
		t.Errorf("got %v, %v", again, err)
	}
	if _, err := GenerateKey(bytes.NewReader(seed[:31])); err == nil {
		t.Error("a key from 31 bytes")
	}
}

func TestPrivateKeyIsNotPrinted(t *testing.T) {
	key := rfcKey(t)
	holder := struct {
		Key  PrivateKey
		Keys []PrivateKey
	}{key, []PrivateKey{key}}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o"} {
		for _, value := range []any{key, &key, holder} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(strings.ToLower(text), rfcSeed[:8]) || strings.Contains(text, "157 97 177") {
				t.Errorf("%s prints the secret: %s", verb, text)
			}
			if _, ok := value.(PrivateKey); ok && !strings.Contains(text, rfcID) {
				t.Errorf("%s prints %s", verb, text)
			}
		}
	}
	if text, err := json.Marshal(holder); err == nil {
		t.Errorf("a secret in JSON: %s", text)
	}
}

func TestParseKeys(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{rfcID, ""},
		{"ed25519-public:" + rfcPublic, ""},
		{strings.ToUpper(rfcID), "does not begin"},
		{rfcID + "00", "34 hexadecimal digits, want 32"},
		{"ed25519:" + rfcPublic, "64 hexadecimal digits, want 32"},
		{"ed25519-public:" + rfcPublic[:62], "62 hexadecimal digits, want 64"},
		{"ed25519-public:" + strings.ToUpper(rfcPublic), "upper-case"},
		{"", "does not begin"},
	} {
		parse := func() (fmt.Stringer, error) { return ParseKeyID(c.text) }
		if strings.HasPrefix(c.text, publicKeyPrefix) {
			parse = func() (fmt.Stringer, error) { return ParsePublicKey(c.text) }
		}
		got, err := parse()
		switch {
		case c.wrong == "" && (err != nil || got.String() != c.text):
			t.Errorf("%q: got %v, %v", c.text, got, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%q: got %v, want an error with %q", c.text, err, c.wrong)
		}
	}
}
