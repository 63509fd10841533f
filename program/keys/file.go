package keys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// keyFileBytesMax bounds what is read of a file in a directory of keys.
const keyFileBytesMax = 4 << 10

// read reads a small file of the directory, which must be a plain one of ours:
// no link, and none of the loose permissions.
func (d *Dir) read(name string, loose fs.FileMode) ([]byte, error) {
	if err := d.checkDir(); err != nil {
		return nil, err
	}
	info, err := os.Lstat(d.file(name))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a plain file", d.file(name))
	}
	return readPlain(d.file(name), loose, keyFileBytesMax)
}

// readPlain reads a plain file of at most bytesMax bytes that has none of the
// loose permissions.
func readPlain(name string, loose fs.FileMode, bytesMax int64) ([]byte, error) {
	// A pipe must not be opened: that could wait for ever.
	if info, err := os.Stat(name); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a plain file", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&loose != 0 {
		return nil, fmt.Errorf("%s: mode %04o: %w (chmod %04o)", name, mode, ErrLoose, mode&^loose)
	}
	text, err := io.ReadAll(io.LimitReader(file, bytesMax+1))
	if err == nil && int64(len(text)) > bytesMax {
		err = fmt.Errorf("%s: larger than %d bytes", name, bytesMax)
	}
	return text, err
}

// checkDir refuses a directory that others can put files into.
func (d *Dir) checkDir() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: not a directory", d.path)
	}
	if info.Mode().Perm()&loosely != 0 {
		return fmt.Errorf("%s: mode %04o: %w (chmod 700)", d.path, info.Mode().Perm(), ErrLoose)
	}
	return nil
}

// writeNew writes a file that must not be there yet (fs.ErrExist if it is). It
// appears whole, and is durable once writeNew returns.
func (d *Dir) writeNew(name string, text []byte) error {
	return d.write(text, func(temporary string) error { return os.Link(temporary, d.file(name)) })
}

// replace writes a file, or puts a new one in the place of the old in one step.
// It is durable once replace returns.
func (d *Dir) replace(name string, text []byte) error {
	return d.write(text, func(temporary string) error { return os.Rename(temporary, d.file(name)) })
}

// write puts text into a temporary file, syncs it, lets place give it its name,
// and syncs the directory. The temporary name is gone afterwards.
func (d *Dir) write(text []byte, place func(temporary string) error) error {
	if err := d.checkDir(); err != nil {
		return err
	}
	file, err := os.CreateTemp(d.path, ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails if it was renamed
	_, err = file.Write(text)
	err = errors.Join(err, file.Chmod(fileMode), file.Sync(), file.Close())
	if err != nil {
		return err
	}
	if err := place(file.Name()); err != nil {
		return err
	}
	return d.sync()
}

func (d *Dir) remove(name string) error {
	if err := os.Remove(d.file(name)); err != nil {
		return err
	}
	return d.sync()
}

// sync makes names in the directory durable.
func (d *Dir) sync() error {
	dir, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
