// Package home finds where one user's things are kept on this host.
package home

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// A Home is where one user's things are kept. With CARREL_HOME set all of them
// are below it, else they follow the XDG directories.
type Home struct {
	Keys   string // signing keys
	Trust  string // the file that says whose keys are trusted
	Code   string // compiled code, and what else is made again: may be deleted at any time
	Blobs  string // what programs read, kept so that receipts can be verified
	Starts string // images that programs begin with, made again: may be deleted at any time
	Images string // images, named by their roots
	Tools  string // programs that were fetched: a compiler, an engine
}

// Find finds the directories. Nothing is created.
func Find() (Home, error) {
	if root := os.Getenv("CARREL_HOME"); root != "" {
		root, err := filepath.Abs(root)
		if err != nil {
			return Home{}, fmt.Errorf("CARREL_HOME: %w", err)
		}
		return Home{
			Keys: filepath.Join(root, "keys"), Trust: filepath.Join(root, "trust"),
			Code: filepath.Join(root, "code"), Starts: filepath.Join(root, "code", "starts"), Blobs: filepath.Join(root, "blobs"),
			Images: filepath.Join(root, "images"), Tools: filepath.Join(root, "tools"),
		}, nil
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return Home{}, fmt.Errorf("find a place for keys: %w; set CARREL_HOME to a directory", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Home{}, fmt.Errorf("find a place for compiled code: %w; set CARREL_HOME to a directory", err)
	}
	data, err := userDataDir()
	if err != nil {
		return Home{}, fmt.Errorf("find a place for blobs and images: %w; set CARREL_HOME to a directory", err)
	}
	return Home{
		Keys: filepath.Join(config, "carrel", "keys"), Trust: filepath.Join(config, "carrel", "trust"),
		Code: filepath.Join(cache, "carrel", "code"), Starts: filepath.Join(cache, "carrel", "code", "starts"), Blobs: filepath.Join(data, "carrel", "blobs"),
		Images: filepath.Join(data, "carrel", "images"), Tools: filepath.Join(data, "carrel", "tools"),
	}, nil
}

func userDataDir() (string, error) {
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return dir, nil
	}
	user, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	if runtime.GOOS == "darwin" {
		return filepath.Join(user, "Library", "Application Support"), nil
	}
	return filepath.Join(user, ".local", "share"), nil
}
