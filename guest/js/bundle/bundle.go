// Package bundle is JavaScript modules in one piece, as Endo and SwingSet hand
// them on: a JSON object that names its format. The two formats of scripts,
// getExport and nestedEvaluate, are evaluated; an archive, endoZipBase64, holds
// the modules one by one and can be made a script. docs/formats/js-bundle.md has
// the formats.
package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"carrel/program/seal"
)

// A Format says how a bundle becomes exports.
type Format string

const (
	// GetExport is a function that gives the exports.
	GetExport Format = "getExport"
	// NestedEvaluate is a function of a prefix for names of sources that gives
	// the exports. It compiles modules with nestedEvaluate, if there is such a
	// thing in scope, else with the global eval.
	NestedEvaluate Format = "nestedEvaluate"
	// EndoZip is an archive of modules: Zip and ZipHash, no Source.
	EndoZip Format = "endoZipBase64"
)

// BytesMax bounds a bundle as text.
const BytesMax = 256 << 20

// A Bundle is a value: to change one is to make another.
type Bundle struct {
	Format Format
	// Source is a function's text, for the formats of scripts.
	Source string
	// SourceMap is a source map's text, or none.
	SourceMap string
	// Zip is the archive of an EndoZip.
	Zip []byte
	// ZipHash is the hexadecimal SHA-512 of the archive's compartment map, as the
	// bundle says: Open checks it.
	ZipHash string
}

// members are a bundle as JSON, in the order in which JSON.stringify would write
// what the bundlers of others make.
type members struct {
	ModuleFormat Format  `json:"moduleFormat"`
	Source       *string `json:"source,omitempty"`
	SourceMap    *string `json:"sourceMap,omitempty"`
	Zip          []byte  `json:"endoZipBase64,omitempty"`
	ZipHash      string  `json:"endoZipBase64Sha512,omitempty"`
}

// Read reads a bundle.
func Read(text []byte) (*Bundle, error) {
	if len(text) > BytesMax {
		return nil, fmt.Errorf("bundle of %d bytes: %d is the most", len(text), BytesMax)
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("bundle: it is no UTF-8")
	}
	var m members
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	b := &Bundle{Format: m.ModuleFormat, Zip: m.Zip, ZipHash: m.ZipHash}
	if m.Source != nil {
		b.Source = *m.Source
	}
	if m.SourceMap != nil {
		b.SourceMap = *m.SourceMap
	}
	return b, b.check()
}

// check reports what a bundle lacks.
func (b *Bundle) check() error {
	switch b.Format {
	case GetExport, NestedEvaluate:
		if strings.TrimSpace(b.Source) == "" {
			return fmt.Errorf("bundle: a %s has a source, and this has none", b.Format)
		}
	case EndoZip:
		if len(b.Zip) == 0 || b.ZipHash == "" {
			return fmt.Errorf("bundle: an %s has endoZipBase64 and endoZipBase64Sha512, and this lacks one", b.Format)
		}
	case "":
		return fmt.Errorf("bundle: it has no moduleFormat")
	default:
		return fmt.Errorf("bundle: the moduleFormat %.40q is not known: %s, %s and %s are", b.Format, GetExport, NestedEvaluate, EndoZip)
	}
	return nil
}

// Encode is the bundle as text: what JSON.stringify gives, with moduleFormat,
// source and sourceMap in this order, and no newline. An EndoZip is never made
// here, only read.
func (b *Bundle) Encode() ([]byte, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	if b.Format == EndoZip {
		return nil, fmt.Errorf("bundle: an %s is read, not made", EndoZip)
	}
	text, err := json.Marshal(members{ModuleFormat: b.Format, Source: &b.Source, SourceMap: &b.SourceMap})
	if err != nil {
		return nil, err
	}
	// The members' names happen to be in alphabetical order.
	return seal.CanonicalJSON(text)
}

// Hash is the hexadecimal SHA-256 of a bundle as text, by which lockdown and
// supervisor bundles are known.
func Hash(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ID is the name of a bundle in SwingSet: b0- and the SHA-256 of its text for
// scripts, b1- and the SHA-512 of its compartment map for archives.
func (b *Bundle) ID() (string, error) {
	if b.Format == EndoZip {
		if _, err := b.Open(); err != nil {
			return "", err
		}
		return "b1-" + b.ZipHash, nil
	}
	text, err := b.Encode()
	return "b0-" + Hash(text), err
}

// Script is the program whose value is the bundle's exports. A start compartment
// evaluates it as it is.
func (b *Bundle) Script() (string, error) {
	if err := b.check(); err != nil {
		return "", err
	}
	if b.Format == EndoZip {
		return "", fmt.Errorf("bundle: an %s is no script; make it one with carrel bundle", EndoZip)
	}
	return strings.TrimSpace("(" + b.Source + "\n)()"), nil
}
