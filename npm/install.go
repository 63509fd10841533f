package npm

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Install makes a directory that appears when it is complete: fill writes it as
// ready, and has temp, a directory of its own, for what it needs on the way;
// complete tells whether nothing lacks. If somebody else was faster and theirs
// is complete, theirs stays.
func Install(dir string, fill func(temp, ready string) error, complete func(dir string) error) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), ".carrel-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	ready := filepath.Join(temp, "ready")
	if err := fill(temp, ready); err != nil {
		return err
	}
	if err := complete(ready); err != nil {
		return err
	}
	if err := syncFiles(ready); err != nil {
		return err
	}
	err = os.Rename(ready, dir)
	if errors.Is(err, fs.ErrExist) {
		return complete(dir)
	}
	return err
}

// syncFiles makes all files below a directory durable.
func syncFiles(dir string) error {
	return filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		file, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		return errors.Join(file.Sync(), file.Close())
	})
}

// ErrAbsent reports that something has not been fetched yet.
var ErrAbsent = errors.New("it has not been fetched yet")

// Read reads a file of a directory that was installed, and checks its SHA-256,
// which is hexadecimal. Errors: ErrAbsent.
func Read(name, sha256sum string) ([]byte, error) {
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", name, ErrAbsent)
	} else if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(content)
	if got := hex.EncodeToString(sum[:]); got != sha256sum {
		return nil, fmt.Errorf("%s has been changed: its SHA-256 is %s, not %s; delete its directory, and it is fetched again", name, got, sha256sum)
	}
	return content, nil
}
