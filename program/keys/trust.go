package keys

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"carrel/program/seal"
)

// Limits of a trust file.
const (
	TrustBytesMax = 1 << 20
	TrustKeysMax  = 4096
)

// A Trusted key is one that the user believes, under a name of the user's
// choice.
type Trusted struct {
	ID     seal.KeyID     `json:"id"`
	Public seal.PublicKey `json:"public"`
	Name   string         `json:"name"`
}

// String is a line of a trust file, without the end of line.
func (t Trusted) String() string { return fmt.Sprintf("%s %s %s", t.ID, t.Public, t.Name) }

// A TrustError reports a line of a trust file that is malformed or not true.
type TrustError struct {
	Line int // from 1
	Err  error
}

func (e *TrustError) Error() string { return fmt.Sprintf("trust file line %d: %v", e.Line, e.Err) }
func (e *TrustError) Unwrap() error { return e.Err }

// ReadTrust reads a trust file by name. It must not be writable by others than
// its owner (ErrLoose).
func ReadTrust(name string) ([]Trusted, error) {
	text, err := readPlain(name, loosely, TrustBytesMax)
	if err != nil {
		return nil, fmt.Errorf("read trust file: %w", err)
	}
	list, err := ParseTrust(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return list, nil
}

// ParseTrust reads a trust file: one key a line as key id, public key and name,
// separated by blanks; lines that are empty or begin with "#" say nothing. A
// line that is malformed, whose id is not that of its key, or that repeats a
// key is a *TrustError: no half of a trust file is ever believed.
func ParseTrust(text []byte) ([]Trusted, error) {
	if len(text) > TrustBytesMax {
		return nil, fmt.Errorf("trust file of %d bytes, at most %d", len(text), TrustBytesMax)
	}
	var list []Trusted
	seen := map[seal.PublicKey]int{}
	for n, line := range strings.Split(string(text), "\n") {
		line = strings.Trim(line, " \t\r")
		if line == "" || line[0] == '#' {
			continue
		}
		trusted, err := parseTrustLine(line)
		if err == nil && seen[trusted.Public] > 0 {
			err = fmt.Errorf("%s is on line %d already", trusted.ID, seen[trusted.Public])
		}
		if err == nil && len(list) == TrustKeysMax {
			err = fmt.Errorf("more than %d keys", TrustKeysMax)
		}
		if err != nil {
			return nil, &TrustError{Line: n + 1, Err: err}
		}
		seen[trusted.Public] = n + 1
		list = append(list, trusted)
	}
	return list, nil
}

func parseTrustLine(line string) (Trusted, error) {
	if !utf8.ValidString(line) {
		return Trusted{}, fmt.Errorf("not UTF-8")
	}
	idText, rest := cutBlank(line)
	keyText, name := cutBlank(rest)
	id, err := seal.ParseKeyID(idText)
	if err != nil {
		return Trusted{}, err
	}
	public, err := seal.ParsePublicKey(keyText)
	if err != nil {
		return Trusted{}, err
	}
	if public.ID() != id {
		return Trusted{}, fmt.Errorf("the id says %s, the key is %s", id, public.ID())
	}
	if err := checkName(name); err != nil {
		return Trusted{}, err
	}
	return Trusted{ID: id, Public: public, Name: name}, nil
}

// cutBlank is the text up to the first run of blanks, and what follows them.
func cutBlank(s string) (first, rest string) {
	end := strings.IndexAny(s, " \t")
	if end < 0 {
		return s, ""
	}
	return s[:end], strings.TrimLeft(s[end:], " \t")
}
