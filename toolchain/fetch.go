package toolchain

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// What is fetched: clang and its libraries as WebAssembly, by name from npm.
const (
	Package   = "@yowasp/clang"
	Version   = "22.0.0-git20542-10"
	integrity = "sha512-V31/z9GrJECKeACTDUyvg2llbEUiFi3bxtL5HSg7H/6sydSxdI/AoVAD9F5ozrfLjotWl0B9rghR87m+DUM/zg=="
)

// archiveBytesMax bounds the package; it has 30 MB.
const archiveBytesMax = 256 << 20

// files are the members of the package that are kept, and their names.
var files = map[string]string{
	"package/gen/llvm.core.wasm":     programFile,
	"package/gen/llvm-resources.tar": resourcesFile,
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
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".carrel-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	archive := filepath.Join(temp, "package.tgz")
	switch {
	case from == "":
		archive, err = pack(ctx, temp)
	case strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://"):
		err = download(ctx, from, archive)
	default:
		archive = from
	}
	if err != nil {
		return fmt.Errorf("fetch %s: %w", Package, err)
	}
	ready := filepath.Join(temp, "ready")
	if err := unpack(archive, ready); err != nil {
		return fmt.Errorf("fetch %s: %s: %w", Package, archive, err)
	}
	if err := os.Rename(ready, dir); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, _, there := Files(dir); there == nil { // somebody else was faster
			return nil
		}
		return err
	}
	return nil
}

// pack lets the npm client fetch the package.
func pack(ctx context.Context, dir string) (string, error) {
	if _, err := exec.LookPath("npm"); err != nil {
		return "", fmt.Errorf("npm is not there, which fetches it; install npm, or name the package's file or URL with --from")
	}
	cmd := exec.CommandContext(ctx, "npm", "pack", "--silent", Package+"@"+Version)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("npm pack: %w: %s", err, strings.TrimSpace(said.String()))
	}
	return filepath.Join(dir, filepath.Base(strings.TrimSpace(string(out)))), nil
}

func download(ctx context.Context, url, to string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	n, err := io.Copy(file, io.LimitReader(answer.Body, archiveBytesMax+1))
	if err == nil && n > archiveBytesMax {
		err = fmt.Errorf("more than %d bytes", archiveBytesMax)
	}
	return errors.Join(err, file.Close())
}

// unpack checks the package and keeps what is needed of it.
func unpack(archive, to string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, io.LimitReader(file, archiveBytesMax)); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(hash.Sum(nil)); got != integrity {
		return fmt.Errorf("it is not %s %s: its hash is %s, not %s", Package, Version, got, integrity)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	compressed, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	members := tar.NewReader(compressed)
	for found := 0; found < len(files); {
		member, err := members.Next()
		if err != nil {
			return err
		}
		name, ok := files[member.Name]
		if !ok {
			continue
		}
		if err := write(filepath.Join(to, name), members); err != nil {
			return err
		}
		found++
	}
	return nil
}

func write(name string, content io.Reader) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Sync(), file.Close())
}
