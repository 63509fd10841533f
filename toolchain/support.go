package toolchain

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"carrel/receipt"
	"carrel/runner"
	"carrel/tree"
	"carrel/turn"
)

// The support library is what C has and the sysroot lacks: setjmp and longjmp.
// Its sources are here; it is compiled by the compiler that it belongs to.
//
//go:embed support/*.c support/include/*.h
var supportSources embed.FS

const (
	supportDir    = ownDir + "/support"
	supportObject = supportDir + "/support.o"
)

// supportFlags are for code that uses it.
var supportFlags = []string{
	"--start-no-unused-arguments", "-mllvm", "-enable-emscripten-sjlj",
	"-isystem", supportDir + "/include", "-Wl," + supportObject, "--end-no-unused-arguments",
}

// SupportName is the name to keep the compiled support library under: it says of
// which sources it is.
func SupportName() string {
	hash := sha256.New()
	_ = fs.WalkDir(supportSources, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := supportSources.ReadFile(name)
		fmt.Fprintf(hash, "%s %d\n%s", name, len(content), content)
		return err
	})
	return "support-" + hex.EncodeToString(hash.Sum(nil)[:8]) + ".o"
}

// CompileSupport compiles the support library, for SetSupport.
func (t *Toolchain) CompileSupport(ctx context.Context) ([]byte, error) {
	root, err := supportTree()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	var object []byte
	code, err := t.Run(ctx, &Command{
		Tool: supportTool, Dir: "/support", Root: root,
		Args:   []string{"-O2", "-c", "-Iinclude", "-o", "support.o", "setjmp.c"},
		Limits: turn.Limits{Fuel: 1e11, MemoryPages: turn.MemoryPagesMax},
		Stdin:  &bytes.Buffer{}, Stdout: &said, Stderr: &said,
		Apply: func(changes []tree.Change, _ []string) error {
			for _, c := range changes {
				object = c.Data
			}
			return nil
		},
	})
	if err == nil && (code != 0 || object == nil) {
		err = errors.New(said.String())
	}
	if err != nil {
		return nil, fmt.Errorf("compile the support library: %w", err)
	}
	return object, nil
}

// SetSupport makes the support library part of what is compiled and linked from
// now on. It is called before Run.
func (t *Toolchain) SetSupport(object []byte) error {
	content := map[string][]byte{"support.o": object}
	headers, err := fs.Glob(supportSources, "support/include/*.h")
	if err != nil {
		return err
	}
	for _, name := range headers {
		if content["include/"+path.Base(name)], err = supportSources.ReadFile(name); err != nil {
			return err
		}
	}
	image, err := tarOf(content)
	if err != nil {
		return err
	}
	files, err := runner.ContentTree(receipt.MountTar, image)
	if err != nil {
		return err
	}
	blob := receipt.NewBlob(image)
	t.support = []runner.Mount{{Guest: supportDir, Kind: receipt.MountTar, Mode: receipt.ModeRO, Tree: files, Content: &blob}}
	return nil
}

// supportTree is the sources as a tree.
func supportTree() (tree.Tree, error) {
	content := map[string][]byte{}
	err := fs.WalkDir(supportSources, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			content[name], err = supportSources.ReadFile(name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	image, err := tarOf(content)
	if err != nil {
		return nil, err
	}
	return runner.ContentTree(receipt.MountTar, image)
}

// tarOf is a tar image of files, the same for the same files.
func tarOf(files map[string][]byte) ([]byte, error) {
	var image bytes.Buffer
	w := tar.NewWriter(&image)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(files[name]))}); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return image.Bytes(), err
}
