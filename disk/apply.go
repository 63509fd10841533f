package disk

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"carrel/tree"
)

// Modes of what is new, before the umask. A file that is replaced keeps its.
const (
	modeFile = 0o644
	modeDir  = 0o755
)

// tempPrefix starts the names of what is staged. They are left behind only by
// a crash.
const tempPrefix = ".carrel-"

// An ApplyError says how far Apply came after it had begun to change things.
type ApplyError struct {
	Removed []string // paths that are gone, also those to be replaced
	Written []string // paths that are in place; a new directory with all in it
	Path    string   // the one that failed
	Err     error
}

func (e *ApplyError) Error() string {
	return fmt.Sprintf("write back %s, after %d paths were removed and %d written: %v",
		e.Path, len(e.Removed), len(e.Written), e.Err)
}

func (e *ApplyError) Unwrap() error { return e.Err }

// Apply makes the changes that a program made to the tree that Open read from
// the same path.
//
// It has two phases. First everything new is written, beside where it belongs
// and under other names, and made durable: an error then, a full disk say,
// leaves the directory as it was. An error too if what is to be changed is no
// longer what the program found. Then what is gone is removed, what is new is
// renamed into its place, and the directories are made durable; an error then
// is an *ApplyError. A new directory comes into place with all that is in it.
//
// No symbolic link in the directory is followed.
func Apply(root string, changes []tree.Change) error {
	changes = slices.Clone(changes)
	slices.SortFunc(changes, func(a, b tree.Change) int { return strings.Compare(a.Path, b.Path) })
	if len(changes) == 1 && changes[0].Path == "." && changes[0].Kind == tree.File {
		return Replace(root, content(changes[0].Data))
	}
	top, err := openDir(unix.AT_FDCWD, root, 0)
	if err != nil {
		return fmt.Errorf("write back: %w", err)
	}
	defer unix.Close(top)
	a := &application{top: top, made: map[string]string{}, touched: map[string]bool{}}
	if err := a.stage(changes); err != nil {
		a.discard()
		return fmt.Errorf("write back: nothing was changed: %w", err)
	}
	if err := a.commit(changes); err != nil {
		a.discard()
		return err
	}
	return nil
}

// An application is one Apply under way. Paths are within the directory.
type application struct {
	top     int               // descriptor of the directory
	made    map[string]string // new directory: where it is staged
	renames []rename
	touched map[string]bool // directories to be made durable in the end
	removed []string
	written []string
}

func (a *application) failed(path string, err error) error {
	return &ApplyError{Removed: a.removed, Written: a.written, Path: path, Err: err}
}

// A rename brings something staged into place.
type rename struct{ dir, temp, name string }

// stage writes all that is new.
func (a *application) stage(changes []tree.Change) error {
	for i, c := range changes {
		if !fs.ValidPath(c.Path) || c.Path == "." || i > 0 && c.Path == changes[i-1].Path {
			return fmt.Errorf("%q is not a path to be changed", c.Path)
		}
		if err := a.stageOne(c); err != nil {
			return fmt.Errorf("%s: %w", c.Path, err)
		}
	}
	for _, at := range a.made {
		if err := a.in(at, unix.Fsync); err != nil {
			return err
		}
	}
	return nil
}

func (a *application) stageOne(c tree.Change) error {
	dir, name := path.Split(c.Path)
	dir = path.Clean(dir)
	at, inNew := a.made[dir]
	if !inNew {
		at = dir
	}
	return a.in(at, func(fd int) error {
		mode := uint32(modeFile)
		if !inNew {
			found, perm, err := look(fd, name)
			if err != nil {
				return err
			}
			if found != c.Was {
				return fmt.Errorf("is %v now, it was %v", found, c.Was)
			}
			if found == tree.File {
				mode = perm
			}
		}
		if c.Kind == tree.Absent {
			return nil
		}
		to := name
		if !inNew {
			to = tempName()
			a.renames = append(a.renames, rename{dir: at, temp: to, name: name})
		}
		if c.Kind == tree.Dir {
			a.made[c.Path] = path.Join(at, to)
		}
		return write(fd, to, c, mode)
	})
}

// write makes one thing, durably but for its name.
func write(fd int, name string, c tree.Change, mode uint32) error {
	switch c.Kind {
	case tree.Dir:
		return unix.Mkdirat(fd, name, modeDir)
	case tree.Link:
		return unix.Symlinkat(c.Target, fd, name)
	case tree.File:
		return writeFile(fd, name, func(f *os.File) error { return content(c.Data)(f) }, mode)
	}
	return fmt.Errorf("a %v cannot be written", c.Kind)
}

func content(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

// writeFile writes a file and makes its content durable. A mode other than
// that of new files is set whatever the umask.
func writeFile(fd int, name string, fill func(*os.File) error, mode uint32) error {
	n, err := unix.Openat(fd, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(n), name)
	err = fill(f)
	if err == nil && mode != modeFile {
		err = f.Chmod(fs.FileMode(mode))
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// commit brings everything into place.
func (a *application) commit(changes []tree.Change) error {
	for _, c := range slices.Backward(changes) {
		// What a rename cannot replace goes first, what is in it before it.
		gone := c.Was != tree.Absent && (c.Kind == tree.Absent || (c.Was == tree.Dir) != (c.Kind == tree.Dir))
		if !gone {
			continue
		}
		if err := a.remove(c); err != nil {
			return a.failed(c.Path, err)
		}
		a.removed = append(a.removed, c.Path)
	}
	for len(a.renames) > 0 {
		r := a.renames[0]
		err := a.in(r.dir, func(fd int) error { return unix.Renameat(fd, r.temp, fd, r.name) })
		if err != nil {
			return a.failed(path.Join(r.dir, r.name), err)
		}
		a.renames = a.renames[1:]
		a.touched[r.dir] = true
		a.written = append(a.written, path.Join(r.dir, r.name))
	}
	for dir := range a.touched {
		err := a.in(dir, unix.Fsync)
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) { // removed since
			return a.failed(dir, err)
		}
	}
	return nil
}

func (a *application) remove(c tree.Change) error {
	dir, name := path.Split(c.Path)
	dir = path.Clean(dir)
	flags := 0
	if c.Was == tree.Dir {
		flags = unix.AT_REMOVEDIR
	}
	a.touched[dir] = true
	return a.in(dir, func(fd int) error { return unix.Unlinkat(fd, name, flags) })
}

// discard removes what is staged and not in place.
func (a *application) discard() {
	for _, r := range a.renames {
		_ = a.in(r.dir, func(fd int) error { return removeAll(fd, r.temp) })
	}
}

// in opens a directory, following no links, and does something with it.
func (a *application) in(dir string, do func(fd int) error) error {
	fd, err := openDir(a.top, ".", unix.O_NOFOLLOW)
	for _, name := range strings.Split(dir, "/") {
		if err != nil {
			return &fs.PathError{Op: "open", Path: dir, Err: err}
		}
		var next int
		next, err = openDir(fd, name, unix.O_NOFOLLOW)
		unix.Close(fd)
		fd = next
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	defer unix.Close(fd)
	return do(fd)
}

func openDir(at int, name string, flags int) (int, error) {
	return unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC|flags, 0)
}

// look is what is at a name, with its permissions.
func look(fd int, name string) (tree.Kind, uint32, error) {
	var st unix.Stat_t
	err := unix.Fstatat(fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, fs.ErrNotExist) {
		return tree.Absent, 0, nil
	}
	if err != nil {
		return tree.Absent, 0, err
	}
	perm := uint32(st.Mode) & 0o777
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return tree.File, perm, nil
	case unix.S_IFDIR:
		return tree.Dir, perm, nil
	case unix.S_IFLNK:
		return tree.Link, perm, nil
	}
	return tree.Other, perm, nil
}

// removeAll removes what was staged under a name.
func removeAll(fd int, name string) error {
	if kind, _, err := look(fd, name); err != nil || kind != tree.Dir {
		return unix.Unlinkat(fd, name, 0)
	}
	dir, err := openDir(fd, name, unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(dir), name)
	names, _ := f.Readdirnames(-1)
	for _, inner := range names {
		_ = removeAll(int(f.Fd()), inner)
	}
	f.Close()
	return unix.Unlinkat(fd, name, unix.AT_REMOVEDIR)
}

// tempBytes is how much chance is in a name: two digits for each byte.
const tempBytes = 8

func tempName() string {
	var b [tempBytes]byte
	_, _ = rand.Read(b[:]) // never fails
	return tempPrefix + hex.EncodeToString(b[:])
}
