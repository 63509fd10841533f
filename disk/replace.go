package disk

import (
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"carrel/tree"
)

// Replace makes what fill writes the content of a file, all of it or nothing:
// it is written beside the file, made durable and renamed into place. A file that is there
// keeps its permissions; a symbolic link that is there is replaced, not
// followed.
func Replace(name string, fill func(io.Writer) error) error {
	return replace(name, 0, func(f *os.File) error { return fill(f) })
}

// Install is Replace for who wants the file itself, to leave holes in it, and
// permissions that it gets whatever the umask and the file that is there.
func Install(name string, mode fs.FileMode, fill func(*os.File) error) error {
	return replace(name, uint32(mode.Perm()), fill)
}

// Staged reports whether a file has the name of one that is not yet in its
// place: an old one was left behind by a crash.
func Staged(name string) bool {
	digits, ok := strings.CutPrefix(name, tempPrefix)
	_, err := hex.DecodeString(digits)
	return ok && len(digits) == 2*tempBytes && err == nil
}

// replace keeps the permissions of what is there if mode is 0.
func replace(name string, mode uint32, fill func(*os.File) error) error {
	if err := stage(name, mode, fill); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func stage(name string, mode uint32, fill func(*os.File) error) error {
	dir, err := openDir(unix.AT_FDCWD, filepath.Dir(name), 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	base := filepath.Base(name)
	kind, old, err := look(dir, base)
	switch {
	case err != nil:
		return err
	case kind == tree.Dir || kind == tree.Other:
		return fmt.Errorf("a %v is in its place", kind)
	case mode == 0 && kind == tree.File:
		mode = old
	case mode == 0:
		mode = modeFile
	}
	temp := tempName()
	if err = writeFile(dir, temp, fill, mode); err == nil {
		err = unix.Renameat(dir, temp, dir, base)
	}
	if err != nil {
		_ = unix.Unlinkat(dir, temp, 0)
		return err
	}
	return unix.Fsync(dir)
}
