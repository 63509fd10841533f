// Package supervisor is the supervisor bundle, which makes a worker of a start
// compartment that takes SwingSet's deliveries: liveslots and what loads a vat's
// code. It is the one that Agoric published, to the byte, fetched from npm by
// its hash. The directory is an npm package too, with the same bundle for node.
package supervisor

import (
	"context"
	"embed"
	"fmt"
	"path/filepath"
	"strings"

	"carrel/guest/js/bundle"
	"carrel/npm"
)

// Published is the package that holds the bundle.
var Published = npm.Package{
	Name:      "@agoric/swingset-xsnap-supervisor",
	Version:   "0.11.0",
	Integrity: "sha512-Nx6Z+O87VsHzLLZ8E+M4hSLrnXaRD05mkcH8PPelzJd70zym2UJZnS5xfvkhIVxu8FAVi9PgYkeyouLdKeP6rg==",
}

//go:embed dist/*.sha256
var hashes embed.FS

// fileName is the bundle's name, in the package and where it is kept.
const fileName = "supervisor.bundle"

// SHA256 is the hexadecimal SHA-256 of the bundle's file. It is known without it.
func SHA256() string {
	text, err := hashes.ReadFile("dist/" + fileName + ".sha256")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

// Dir is where the bundle is kept below a directory for such things.
func Dir(base string) string { return filepath.Join(base, "supervisor-"+SHA256()[:16]) }

// File reads the bundle from the directory, as it is, and checks its hash.
// Errors: npm.ErrAbsent.
func File(dir string) ([]byte, error) {
	return npm.Read(filepath.Join(dir, fileName), SHA256())
}

// Bundle is the bundle. Errors: npm.ErrAbsent.
func Bundle(dir string) (*bundle.Bundle, error) {
	text, err := File(dir)
	if err != nil {
		return nil, err
	}
	return bundle.Read(text)
}

// Fetch puts the bundle into a directory, which must not be there: of the package
// through the npm client, or of its archive in a file, at a URL or in a directory.
func Fetch(ctx context.Context, dir, from string) error {
	err := Published.Fetch(ctx, dir, from, map[string]string{"dist/" + fileName: fileName}, func(dir string) error { _, err := File(dir); return err })
	if err != nil {
		return fmt.Errorf("fetch the supervisor bundle: %w", err)
	}
	return nil
}
