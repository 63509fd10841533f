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
	"strings"

	"carrel/receipt"
	"carrel/runner"
	"carrel/tree"
	"carrel/turn"
)

// The support library is what C and POSIX have and the sysroot lacks: setjmp and
// longjmp, signals, temporary files, owners and permissions of files, and so on.
// Its sources are here; it is compiled by the compiler that it belongs to.
//
//go:embed support/*.c all:support/include
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

// compileFlags are what each of its sources is compiled by, beside targetFlags.
var compileFlags = []string{"-O2", "-c", "-isystem", "include"}

// SupportName is the name to keep the compiled support library under: it says of
// which sources it is, and how they were compiled.
func SupportName() string {
	image, err := tarOf(sources())
	if err != nil {
		panic(err) // it is made in memory
	}
	hash := sha256.Sum256(fmt.Appendf(image, "%q %q", targetFlags, compileFlags))
	return "support-" + hex.EncodeToString(hash[:8]) + ".a"
}

// sources are the files that are embedded.
func sources() map[string][]byte {
	files := map[string][]byte{}
	err := fs.WalkDir(supportSources, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files[name], err = supportSources.ReadFile(name)
		}
		return err
	})
	if err != nil {
		panic(err) // they are in this program
	}
	return files
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
	files := sources()
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
	for _, name := range slices.Sorted(maps.Keys(files)) {
		source := path.Base(name)
		if path.Ext(source) != ".c" {
			continue
		}
		object := source[:len(source)-1] + "o"
		if err := run("cc", append(slices.Clone(compileFlags), "-o", object, source)...); err != nil {
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
	for name, header := range sources() {
		if path.Ext(name) == ".h" {
			content[strings.TrimPrefix(name, "support/")] = header
		}
	}
	image, err := tarOf(content)
	if err != nil {
		return err
	}
	mount, err := tarMount(supportDir, receipt.ModeRO, image)
	t.support, t.library = &mount, image
	return err
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
