// Package quickjs finds the engine of JavaScript: the one that is built in, or the
// published one, QuickJS as WebAssembly of npm's quickjs-wasi, fetched by its hash.
// Nothing else of that package is used.
package quickjs

import (
	"context"
	"fmt"
	"path/filepath"

	"carrel/guest/js"
	"carrel/npm"
)

// Published is the package that holds the engine.
var Published = npm.Package{
	Name:      "quickjs-wasi",
	Version:   "3.6.2",
	Integrity: "sha512-FCqGtGOrMgzUiIrMNMA2YnsOxCNwo31dzqXvclXUC6xeT35NJLKXQJsvbeCTjvoFAwZgEAPg8U6+KAPDGXn8Mg==",
}

// SHA256 is the hexadecimal SHA-256 of the engine's bytes.
const SHA256 = "d4c9375f2b1ca4dc95f72c8aa2982a7a9951ac8011490d79c6582df732b4bbd9"

// FileName is the engine's name, in the package and where it is kept.
const FileName = "quickjs.wasm"

// Dir is where the engine is kept below a directory for such things.
func Dir(base string) string { return filepath.Join(base, "quickjs-"+Published.Version) }

// Engine is the engine that is built in, or else the published one in the directory,
// whose hash is checked. Errors: npm.ErrAbsent.
func Engine(dir string) ([]byte, error) {
	if wasm := js.Embedded(); wasm != nil {
		return wasm, nil
	}
	return file(dir)
}

func file(dir string) ([]byte, error) { return npm.Read(filepath.Join(dir, FileName), SHA256) }

// Describe says which engine Engine gives.
func Describe() string {
	if wasm := js.Embedded(); wasm != nil {
		build, err := js.Find(wasm)
		if err != nil {
			return err.Error()
		}
		return build.String() + ", built in"
	}
	return fmt.Sprintf("%s, of npm", Published)
}

// Fetch puts the engine into a directory, which must not be there: of the package
// through the npm client, or of its archive in a file, at a URL or in a directory.
func Fetch(ctx context.Context, dir, from string) error {
	err := Published.Fetch(ctx, dir, from, map[string]string{FileName: FileName}, func(dir string) error { _, err := file(dir); return err })
	if err != nil {
		return fmt.Errorf("fetch the engine of JavaScript: %w", err)
	}
	return nil
}
