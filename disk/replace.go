package disk

import (
	"fmt"
	"io"
	"path/filepath"

	"golang.org/x/sys/unix"

	"carrel/tree"
)

// Replace makes what fill writes the content of a file, all of it or nothing:
// it is written beside the file, made durable and renamed into place. A file that is there
// keeps its permissions; a symbolic link that is there is replaced, not
// followed.
func Replace(name string, fill func(io.Writer) error) error {
	if err := replace(name, fill); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

func replace(name string, fill func(io.Writer) error) error {
	dir, err := openDir(unix.AT_FDCWD, filepath.Dir(name), 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	base := filepath.Base(name)
	kind, mode, err := look(dir, base)
	switch {
	case err != nil:
		return err
	case kind == tree.Dir || kind == tree.Other:
		return fmt.Errorf("a %v is in its place", kind)
	case kind != tree.File:
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
