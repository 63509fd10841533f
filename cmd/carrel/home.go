package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// A home is where one user's things are kept. With CARREL_HOME set all of them
// are below it, else they follow the XDG directories.
type home struct {
	keys   string // signing keys
	trust  string // the file that says whose keys are trusted
	code   string // compiled code: may be deleted at any time
	blobs  string // what programs read, kept so that receipts can be verified
	images string // images, named by their roots
	tools  string // programs that were fetched: a compiler
}

// findHome finds the directories. Nothing is created.
func findHome() (home, error) {
	if root := os.Getenv("CARREL_HOME"); root != "" {
		root, err := filepath.Abs(root)
		if err != nil {
			return home{}, fmt.Errorf("CARREL_HOME: %w", err)
		}
		return home{
			keys: filepath.Join(root, "keys"), trust: filepath.Join(root, "trust"),
			code: filepath.Join(root, "code"), blobs: filepath.Join(root, "blobs"),
			images: filepath.Join(root, "images"), tools: filepath.Join(root, "tools"),
		}, nil
	}
	config, err := os.UserConfigDir()
	if err != nil {
		return home{}, fmt.Errorf("find a place for keys: %w; set CARREL_HOME to a directory", err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return home{}, fmt.Errorf("find a place for compiled code: %w; set CARREL_HOME to a directory", err)
	}
	data, err := userDataDir()
	if err != nil {
		return home{}, fmt.Errorf("find a place for blobs and images: %w; set CARREL_HOME to a directory", err)
	}
	return home{
		keys: filepath.Join(config, "carrel", "keys"), trust: filepath.Join(config, "carrel", "trust"),
		code: filepath.Join(cache, "carrel", "code"), blobs: filepath.Join(data, "carrel", "blobs"),
		images: filepath.Join(data, "carrel", "images"), tools: filepath.Join(data, "carrel", "tools"),
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
