package keys

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/program/seal"
)

func trusted(t testing.TB, n byte, name string) Trusted {
	key, err := seal.GenerateKey(seed(n))
	if err != nil {
		t.Fatal(err)
	}
	return Trusted{ID: key.ID(), Public: key.Public(), Name: name}
}

func TestParseTrust(t *testing.T) {
	ann, bob := trusted(t, 1, "Ann"), trusted(t, 2, "Bob the builder")
	text := "# my friends\n\n" + ann.String() + "\n  \t" + strings.ReplaceAll(bob.String(), " ed", " \t ed") + "\t\r\n   # nobody else"
	list, err := ParseTrust([]byte(text))
	if err != nil || len(list) != 2 || list[0] != ann || list[1] != bob {
		t.Errorf("got %v, %v", list, err)
	}
	if list, err := ParseTrust(nil); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestParseTrustRefuses(t *testing.T) {
	ann, bob := trusted(t, 1, "Ann"), trusted(t, 2, "Bob")
	for _, c := range []struct {
		name, text string
		line       int
		wrong      string
	}{
		{"an id of another key", ann.String() + "\n" + bob.ID.String() + " " + ann.Public.String() + " Ann", 2, "the id says " + bob.ID.String() + ", the key is " + ann.ID.String()},
		{"a key twice", ann.String() + "\n\n" + Trusted{ann.ID, ann.Public, "also Ann"}.String(), 3, "is on line 1 already"},
		{"no name", ann.ID.String() + " " + ann.Public.String(), 1, "name of 0 bytes"},
		{"no key", "\n" + ann.ID.String(), 2, `public key "" does not begin`},
		{"words", "trust everybody", 1, `key id "trust" does not begin`},
		{"a comment after", ann.ID.String() + " # " + ann.Public.String(), 1, `public key "#" does not begin`},
		{"the order turned", ann.Public.String() + " " + ann.ID.String() + " Ann", 1, "does not begin with"},
		{"a control character", ann.String() + "\x1b[2J", 1, "do not print"},
		{"bad UTF-8", ann.String() + "\xff", 1, "not UTF-8"},
		{"a long name", ann.String() + strings.Repeat("x", NameBytesMax), 1, "want 1 to 128"},
	} {
		t.Run(c.name, func(t *testing.T) {
			list, err := ParseTrust([]byte(c.text))
			lie := (*TrustError)(nil)
			if !errors.As(err, &lie) || lie.Line != c.line || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, %v; want line %d with %q", list, err, c.line, c.wrong)
			}
		})
	}
	if _, err := ParseTrust(make([]byte, TrustBytesMax+1)); err == nil || !strings.Contains(err.Error(), "at most 1048576") {
		t.Errorf("got %v", err)
	}
	var many strings.Builder
	for n := range TrustKeysMax + 1 {
		public := seal.PublicKey{byte(n), byte(n >> 8), 1}
		many.WriteString(Trusted{public.ID(), public, "x"}.String() + "\n")
	}
	if _, err := ParseTrust([]byte(many.String())); err == nil || !strings.Contains(err.Error(), "line 4097: more than 4096 keys") {
		t.Errorf("got %v", err)
	}
}

func TestReadTrust(t *testing.T) {
	name := filepath.Join(t.TempDir(), "trust")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := errors.Join(os.WriteFile(name, []byte(text), 0o600), os.Chmod(name, mode)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ReadTrust(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	write(trusted(t, 1, "Ann").String()+"\n", 0o644)
	if list, err := ReadTrust(name); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v", list, err)
	}
	write("", 0o666)
	if _, err := ReadTrust(name); !errors.Is(err, ErrLoose) {
		t.Errorf("got %v", err)
	}
	write("lie\n", 0o600)
	if _, err := ReadTrust(name); err == nil || !strings.Contains(err.Error(), name+": trust file line 1: ") {
		t.Errorf("got %v", err)
	}
	write(strings.Repeat("#\n", TrustBytesMax/2+1), 0o600)
	if _, err := ReadTrust(name); err == nil || !strings.Contains(err.Error(), "larger than 1048576 bytes") {
		t.Errorf("got %v", err)
	}
}

func FuzzTrustFile(f *testing.F) {
	f.Add([]byte("# friends\n" + trusted(f, 1, "Ann").String() + "\n\n" + trusted(f, 2, "Bob").String()))
	f.Add([]byte("ed25519:00 ed25519-public:00 x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, err := ParseTrust(text)
		if err != nil {
			return
		}
		var lines []string
		for _, trusted := range list {
			if trusted.Public.ID() != trusted.ID {
				t.Fatalf("%s is not the id of %s", trusted.ID, trusted.Public)
			}
			lines = append(lines, trusted.String())
		}
		again, err := ParseTrust([]byte(strings.Join(lines, "\n")))
		if err != nil || len(again) != len(list) {
			t.Fatalf("written again: %v, %v", again, err)
		}
		for n := range list {
			if again[n] != list[n] {
				t.Fatalf("%v became %v", list[n], again[n])
			}
		}
	})
}

func FuzzKeyFile(f *testing.F) {
	key, err := seal.GenerateKey(seed(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(formatKey(key, "Ann"))
	f.Fuzz(func(t *testing.T, text []byte) {
		key, name, err := parseKey(text)
		if err == nil && string(formatKey(key, name)) != string(text) {
			t.Fatalf("%q became %q", text, formatKey(key, name))
		}
	})
}
