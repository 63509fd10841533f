package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"

	"carrel/disk"
)

// publish writes a file for everybody whom the umask lets read it, or replaces
// it in one step. What is there and is no plain file (a pipe, a terminal) is
// written to as it is.
func publish(name string, fill func(io.Writer) error) error {
	info, err := os.Stat(name)
	if err != nil || info.Mode().IsRegular() {
		return disk.Replace(name, fill)
	}
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(fill(file), file.Close())
}

// writePrivate writes a file that only this user may read, or replaces it in
// one step: whoever reads it sees the old content or the new one. It is durable
// once writePrivate returns.
func writePrivate(name string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".carrel-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// writable reports why publish could not write to a file.
func writable(name string) error {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return &os.PathError{Op: "write", Path: name, Err: errors.New("is a directory")}
	} else if err == nil && !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".carrel-*")
	if err != nil {
		return &os.PathError{Op: "write", Path: name, Err: cause(err)}
	}
	return errors.Join(file.Close(), os.Remove(file.Name()))
}
