package npm

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Limits of what is unpacked of one package.
const (
	filesMax = 10_000
	bytesMax = 1 << 30
)

// Unpack checks that an archive is the package and writes files of it: place
// gives the path of a file by its name in the package, or "" for one that is not
// wanted.
func (p Package) Unpack(archive string, place func(name string) string) error {
	if err := p.unpack(archive, place); err != nil {
		return fmt.Errorf("%s: %w", archive, err)
	}
	return nil
}

func (p Package) unpack(archive string, place func(name string) string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, io.LimitReader(file, archiveBytesMax)); err != nil {
		return err
	}
	if got := "sha512-" + base64.StdEncoding.EncodeToString(hash.Sum(nil)); got != p.Integrity {
		return fmt.Errorf("it is not %s: its hash is %s, not %s", p, got, p.Integrity)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	compressed, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	members := tar.NewReader(compressed)
	for files, left := 0, int64(bytesMax); ; {
		member, err := members.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		_, name, below := strings.Cut(member.Name, "/")
		if member.Typeflag != tar.TypeReg || !below || !filepath.IsLocal(name) {
			continue
		}
		to := place(name)
		if to == "" {
			continue
		}
		if files++; files > filesMax || member.Size > left {
			return fmt.Errorf("it has more than %d files or %d bytes", filesMax, bytesMax)
		}
		left -= member.Size
		if err := write(to, members); err != nil {
			return err
		}
	}
}

// write writes a file that is not there.
func write(name string, content io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}
