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
	"strings"

	"carrel/guest/zencode"
	"carrel/machine"
	"carrel/machine/cache"
	"carrel/npm"
)

// A Version is a package that holds the engine.
type Version struct {
	npm.Package
	SHA256 string // of FileName, hexadecimal
}

// FileName is where the engine is kept: the package's JavaScript, which has the wasm in
// it as a text, and what its calls of JavaScript mean.
const FileName = "zenroom.js"

// Published is the version that is used unless another is asked for.
var Published = Version{
	npm.Package{Name: name, Version: "5.38.1", Integrity: "sha512-r3YoBlDlklwdgna6Yq4+BwxNhJVnjaeX00cPSwveSADCMt0P93Ak70T/TJ14eb3CgVVEzQFhzSNeEwnKnSXUQg=="},
	"1bb8daec7af10f0af0a60e24e9817a016cebb89625cb11d8f77a19a38c7a12ca",
}

const name = "zenroom"

// versions are those that are known. Only the first can be prepared ahead (package
// guest/zencode).
var versions = []Version{
	Published,
	{npm.Package{Name: name, Version: "5.36.1", Integrity: "sha512-4QHUZ8BtHeiOLJj+OnLCfBRlzNPW+d7jchNhL0YZpIrPdK2rPRTDJKE9vEWBAabKxOyreI859xXh7pKPnrv+GQ=="},
		"a24c2a9bdf067c1efa23e5838c210c9e92c7d93e0fbf17c35f8aa8dc4b02f411"},
	{npm.Package{Name: name, Version: "5.31.2", Integrity: "sha512-AdOZLjmZqzU86mIZjOXjQotLcs6Jl2ikCmWeJSF6WAKtxxRjqoubSmBXcup4wG8xAFilR5DS2Pc07pdBgU4uCA=="},
		"39f44ade7399d7c7be2a2c2498a0b9a9b250872a95aba7878f74c543a5c39369"},
}

// Variable is the variable of the environment that asks for a version.
const Variable = "CARREL_ZENROOM"

// Find finds a version by its number; "" is the one that the environment asks for, or
// Published.
func Find(number string) (Version, error) {
	number = cmp.Or(number, os.Getenv(Variable), Published.Version)
	var known []string
	for _, v := range versions {
		if v.Version == number {
			return v, nil
		}
		known = append(known, v.Version)
	}
	return Version{}, fmt.Errorf("zenroom %q is not known by its hash; there are %s", number, strings.Join(known, ", "))
}

// Dir is where the engine is kept below a directory for such things.
func (v Version) Dir(base string) string { return filepath.Join(base, "zenroom-"+v.Version) }

// File reads the engine from the directory, and checks its hash. Errors:
// npm.ErrAbsent.
func (v Version) File(dir string) ([]byte, error) {
	return npm.Read(filepath.Join(dir, FileName), v.SHA256)
}

// Fetch puts the engine into a directory, which must not be there: of the package
// through the npm client, or of its archive in a file, at a URL or in a directory.
func (v Version) Fetch(ctx context.Context, dir, from string) error {
	err := v.Package.Fetch(ctx, dir, from, map[string]string{"dist/main/" + FileName: FileName}, func(dir string) error { _, err := v.File(dir); return err })
	if err != nil {
		return fmt.Errorf("fetch the engine of Zencode: %w", err)
	}
	return nil
}

// Tools is the directory that the engine is kept below: what ZENROOM_CACHE_DIR says, as
// nXCC has it, or the one for all such things.
func Tools(base string) string { return cmp.Or(os.Getenv("ZENROOM_CACHE_DIR"), base) }

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
	Version    Version
	Wasm, Glue []byte
}

// Open loads the engine, and fetches it before if it is not there.
func Open(ctx context.Context, host Host) (*Loaded, error) {
	version, err := Find("")
	if err != nil {
		return nil, err
	}
	dir := version.Dir(host.Tools)
	glue, err := version.File(dir)
	if errors.Is(err, npm.ErrAbsent) {
		host.Say(fmt.Sprintf("fetching the engine of Zencode (%s, AGPL-3.0-only), 3 MB, once", version))
		if err := version.Fetch(ctx, dir, ""); err != nil {
			return nil, err
		}
		glue, err = version.File(dir)
	}
	if err != nil {
		return nil, err
	}
	code, err := cache.Open(host.Code, 0)
	if err != nil {
		return nil, err
	}
	loaded := &Loaded{Version: version, Glue: glue}
	loaded.Engine, err = zencode.Load(ctx, glue, func(ctx context.Context, wasm []byte) (*machine.Program, error) {
		loaded.Wasm = wasm
		return code.Load(ctx, host.Engine, wasm)
	})
	if err != nil {
		return nil, err
	}
	return loaded, nil
}
