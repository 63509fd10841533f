package secret

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// partBytes is how much of a secret tells it: so many of its bytes in a row are taken
// out wherever they stand. Zenroom cuts what it logs, so all of it may not be there.
const partBytes = 8

// wholeBytesMin is what a shorter secret has at least that is taken out as a whole.
// Less stands everywhere.
const wholeBytesMin = 4

// Redact is a text with something else in the place of secrets, and of parts of them.
// Secrets are the ways in which they may stand there: see Forms.
func Redact(text []byte, secrets [][]byte, instead string) []byte {
	text = redactWhole(text, secrets, instead)
	if len(text) < partBytes {
		return text
	}
	parts := make(map[uint64]bool, len(text)) // of the text: whether they are of a secret
	part := binary.LittleEndian.Uint64
	for n := range len(text) - partBytes + 1 {
		parts[part(text[n:])] = false
	}
	found := false
	for _, s := range secrets {
		for n := range max(0, len(s)-partBytes+1) {
			if _, there := parts[part(s[n:])]; there {
				parts[part(s[n:])], found = true, true
			}
		}
	}
	if !found {
		return text
	}
	var out []byte
	until := 0 // where the secret that was met last ends
	for n := range text {
		if n+partBytes <= len(text) && parts[part(text[n:])] {
			if n >= until {
				out = append(out, instead...)
			}
			until = n + partBytes
		}
		if n >= until {
			out = append(out, text[n])
		}
	}
	return out
}

// redactWhole takes out secrets that are too short to have parts.
func redactWhole(text []byte, secrets [][]byte, instead string) []byte {
	var pairs []string
	for _, s := range secrets {
		if len(s) >= wholeBytesMin && len(s) < partBytes {
			pairs = append(pairs, string(s), instead)
		}
	}
	if pairs == nil {
		return text
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(text)))
}

// Forms are the ways in which Zenroom writes what a text of the keys holds: as it is,
// and what it is if it is read as hexadecimal digits or base64, each as bytes, digits
// and base64.
func Forms(text []byte) [][]byte {
	forms := [][]byte{text}
	add := func(form []byte) {
		if !slices.ContainsFunc(forms, func(have []byte) bool { return string(have) == string(form) }) {
			forms = append(forms, form)
		}
	}
	for _, content := range contents(text) {
		add(content)
		digits := hex.AppendEncode(nil, content)
		add(digits)
		add([]byte(strings.ToUpper(string(digits))))
		for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
			add(encoding.AppendEncode(nil, content))
		}
	}
	return forms
}

// contents are the bytes that a text may stand for: its own, and what it encodes.
func contents(text []byte) [][]byte {
	all := [][]byte{text}
	if b, err := hex.DecodeString(string(text)); err == nil {
		all = append(all, b)
	}
	trimmed := strings.TrimRight(string(text), "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := encoding.DecodeString(trimmed); err == nil {
			all = append(all, b)
			break
		}
	}
	return all
}
