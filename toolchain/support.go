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

// The support library is what C has and the sysroot lacks: setjmp and longjmp,
// system, temporary files.
// Its sources are here; it is compiled by the compiler that it belongs to.
//
//go:embed support/*.c support/include/*.h
var supportSources embed.FS

const (
	supportDir     = ownDir + "/support"
	supportLibrary = supportDir + "/libsupport.a"
)

// supportFlags are for code that uses it.
var supportFlags = []string{
	"--start-no-unused-arguments", "-mllvm", "-enable-emscripten-sjlj",
	"-isystem", supportDir + "/include", "-Wl," + supportLibrary, "--end-no-unused-arguments",
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
	return "support-" + hex.EncodeToString(hash.Sum(nil)[:8]) + ".a"
}

// CompileSupport makes the support library, for SetSupport: an archive.
func (t *Toolchain) CompileSupport(ctx context.Context) ([]byte, error) {
	library, err := t.compileSupport(ctx)
	if err != nil {
		return nil, fmt.Errorf("compile the support library: %w", err)
	}
	return library, nil
}

func (t *Toolchain) compileSupport(ctx context.Context) ([]byte, error) {
	sources, err := fs.Glob(supportSources, "support/*.c")
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	err = fs.WalkDir(supportSources, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[name], err = supportSources.ReadFile(name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	run := func(tool string, args ...string) error {
		root, err := treeOf(files)
		if err != nil {
			return err
		}
		var said bytes.Buffer
		code, err := t.Run(ctx, &Command{
			Tool: tool, Args: args, Dir: "/support", Root: root,
			Limits: turn.Limits{Fuel: 1e11, MemoryPages: turn.MemoryPagesMax},
			Stdin:  &bytes.Buffer{}, Stdout: &said, Stderr: &said,
			Apply: func(changes []tree.Change, _ []string) error {
				for _, c := range changes {
					files[c.Path] = c.Data
				}
				return nil
			},
		})
		if err == nil && code != 0 {
			err = errors.New(said.String())
		}
		return err
	}
	archive := []string{"rcs", "libsupport.a"}
	for _, name := range sources {
		source := path.Base(name)
		object := source[:len(source)-1] + "o"
		if err := run(supportTool, "-O2", "-c", "-isystem", "include", "-o", object, source); err != nil {
			return nil, err
		}
		archive = append(archive, object)
	}
	if err := run("ar", archive...); err != nil {
		return nil, err
	}
	return files["support/libsupport.a"], nil
}

// SetSupport makes the support library part of what is compiled and linked from
// now on. It is called before Run.
func (t *Toolchain) SetSupport(library []byte) error {
	content := map[string][]byte{"libsupport.a": library}
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

func treeOf(files map[string][]byte) (tree.Tree, error) {
	image, err := tarOf(files)
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
