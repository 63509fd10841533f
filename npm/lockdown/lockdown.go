// Package lockdown is the bundle that makes a start compartment of Hardened
// JavaScript: @endo/init, a console over print, and an inspector for it in a
// compartment of its own. The directory is an npm package too, with the same
// bundle for node.
//
// The bundle is made here, at first use: Endo's packages are fetched from npm as
// the lock file says, bundled, and the result checked against the hash that is
// recorded in dist. From then on it is in a directory, and no network is needed.
package lockdown

import (
	"embed"
	"path/filepath"
	"strings"

	"carrel/guest/js/bundle"
	"carrel/npm"
)

//go:embed package-lock.json lib dist/*.sha256
var sources embed.FS

// A Variant is one of the things that are made.
type Variant string

const (
	// Secure does what importing @endo/init does.
	Secure Variant = "lockdown.bundle"
	// Debug does what importing @endo/init/debug.js does: errors keep their
	// stacks, and are so less safe.
	Debug Variant = "lockdown-debug.bundle"
	// Inspector is a module for bundlers whose default export is a getExport bundle: the
	// function that makes text of a value, which both others hold.
	Inspector Variant = "object-inspect.js"
)

var variants = []Variant{Inspector, Secure, Debug}

// SHA256 is the hexadecimal SHA-256 of a variant's bytes. It is known without
// them.
func (v Variant) SHA256() string {
	text, err := sources.ReadFile("dist/" + string(v) + ".sha256")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Dir is where the bundles are kept below a directory for such things.
func Dir(base string) string {
	return filepath.Join(base, "lockdown-"+bundle.Hash([]byte(Secure.SHA256() + Debug.SHA256()))[:16])
}

// File reads a variant from the directory, as it is, and checks its hash. Errors:
// npm.ErrAbsent.
func File(dir string, v Variant) ([]byte, error) {
	return npm.Read(filepath.Join(dir, string(v)), v.SHA256())
}

// Bundle is the Secure or the Debug bundle. Errors: npm.ErrAbsent.
func Bundle(dir string, v Variant) (*bundle.Bundle, error) {
	text, err := File(dir, v)
	if err != nil {
		return nil, err
	}
	return bundle.Read(text)
}

// complete reports what lacks.
func complete(dir string) error {
	for _, v := range variants {
		if _, err := File(dir, v); err != nil {
			return err
		}
	}
	return nil
}
