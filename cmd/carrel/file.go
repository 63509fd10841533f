package main

import (
	"errors"
	"os"
	"path/filepath"
)

// writeFile writes a file, or replaces it in one step: whoever reads it sees
// the old content or the new one. It is durable once writeFile returns. What is
// there and is no plain file (a pipe, a terminal) is written to as it is.
func writeFile(name string, content []byte, mode os.FileMode) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, content, mode)
	}
	file, err := os.CreateTemp(filepath.Dir(name), ".carrel-*")
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// writable reports why writeFile could not write a file.
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
