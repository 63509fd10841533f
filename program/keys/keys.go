// Package keys keeps the signing keys of one user in a directory, and reads the
// file that says whose keys that user trusts.
//
//	DIR/                 0700
//	DIR/ed25519-….key    0600  one key pair, never changed once written
//	DIR/current                the id of the key that signs
//
// Nothing here is locked: a key file appears whole or not at all, and the
// pointer is replaced in one step, so any number of processes may create keys
// at once. docs/formats/keys.md has the files byte by byte.
package keys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carrel/program/seal"
)

var (
	// ErrNone reports that no key has been created yet.
	ErrNone = errors.New("no key has been created")
	// ErrLoose reports a secret that others than its owner can read or replace.
	ErrLoose = errors.New("permissions are too loose")
	// ErrUnknown reports a key id that is not in the directory.
	ErrUnknown = errors.New("no such key")
)

const (
	keySuffix   = ".key"
	keyPrefix   = "ed25519-"
	currentFile = "current"

	dirMode  = 0o700
	fileMode = 0o600
	looseFor = 0o077 // nobody but the owner may do anything with a key
	loosely  = 0o022 // nobody but the owner may put things into the directory
)

// A Dir is a directory of keys. It need not exist before the first key is
// created. It is safe for concurrent use, by several processes too.
type Dir struct {
	path string
}

// At is the directory of keys at path. Nothing is touched yet.
func At(path string) *Dir { return &Dir{path: path} }

// A Key is what may be known of a key pair without its secret.
type Key struct {
	ID      seal.KeyID     `json:"id"`
	Public  seal.PublicKey `json:"public"`
	Name    string         `json:"name"`    // given when it was created; a label, nothing more
	Current bool           `json:"current"` // whether it is the one that signs
}

// Create makes a key from the next bytes of random. It becomes the current one
// if there was none. The key is durable once Create returns.
func (d *Dir) Create(random io.Reader, name string) (Key, error) {
	key, err := d.add(random, name)
	if err != nil {
		return Key{}, fmt.Errorf("create key: %w", err)
	}
	switch err := d.writeNew(currentFile, currentText(key.ID)); {
	case err == nil:
		key.Current = true
	case !errors.Is(err, fs.ErrExist):
		return Key{}, fmt.Errorf("create key: make it current: %w", err)
	}
	return key, nil
}

// Rotate makes a key and makes it the current one. The keys before it are kept:
// what they signed can still be verified.
func (d *Dir) Rotate(random io.Reader, name string) (Key, error) {
	key, err := d.add(random, name)
	if err != nil {
		return Key{}, fmt.Errorf("rotate key: %w", err)
	}
	if err := d.replace(currentFile, currentText(key.ID)); err != nil {
		return Key{}, fmt.Errorf("rotate key: make it current: %w", err)
	}
	key.Current = true
	return key, nil
}

// Ensure returns the current key, and creates it first if there is none. Of
// several processes that do so at once, all get the same key.
func (d *Dir) Ensure(random io.Reader, name string) (seal.PrivateKey, error) {
	private, err := d.Current()
	if !errors.Is(err, ErrNone) {
		return private, err
	}
	key, err := d.Create(random, name)
	if err != nil {
		return seal.PrivateKey{}, err
	}
	if !key.Current { // another process was first: its key stands, ours never was
		if err := d.remove(keyFile(key.ID)); err != nil {
			return seal.PrivateKey{}, fmt.Errorf("create key: withdraw %s: %w", key.ID, err)
		}
	}
	return d.Current()
}

// Current is the key pair that signs. The error is ErrNone before the first
// one is created.
func (d *Dir) Current() (seal.PrivateKey, error) {
	id, err := d.currentID()
	if err != nil {
		return seal.PrivateKey{}, err
	}
	return d.Private(id)
}

// Private is the key pair of that id.
func (d *Dir) Private(id seal.KeyID) (seal.PrivateKey, error) {
	private, _, err := d.load(keyFile(id))
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w", id, ErrUnknown)
	}
	if err == nil && private.ID() != id {
		err = fmt.Errorf("%s: holds %s", d.file(keyFile(id)), private.ID())
	}
	if err != nil {
		return seal.PrivateKey{}, fmt.Errorf("read key: %w", err)
	}
	return private, nil
}

// List is every key, the current one first, then by id. A key file that cannot
// be used is an error that names it. A directory that does not exist has none.
func (d *Dir) List() ([]Key, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	current, err := d.currentID()
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	var keys []Key
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), keyPrefix) || !strings.HasSuffix(entry.Name(), keySuffix) {
			continue
		}
		private, name, err := d.load(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		if keyFile(private.ID()) != entry.Name() {
			return nil, fmt.Errorf("list keys: %s: holds %s", d.file(entry.Name()), private.ID())
		}
		keys = append(keys, Key{ID: private.ID(), Public: private.Public(), Name: name, Current: private.ID() == current})
	}
	slices.SortStableFunc(keys, func(a, b Key) int { return order(b.Current) - order(a.Current) })
	return keys, nil
}

func order(current bool) int {
	if current {
		return 1
	}
	return 0
}

// add makes a key and writes its file.
func (d *Dir) add(random io.Reader, name string) (Key, error) {
	if err := checkName(name); err != nil {
		return Key{}, err
	}
	private, err := seal.GenerateKey(random)
	if err != nil {
		return Key{}, err
	}
	if err := os.MkdirAll(d.path, dirMode); err != nil {
		return Key{}, err
	}
	if err := d.writeNew(keyFile(private.ID()), formatKey(private, name)); err != nil {
		return Key{}, err
	}
	return Key{ID: private.ID(), Public: private.Public(), Name: name}, nil
}

func (d *Dir) currentID() (seal.KeyID, error) {
	text, err := d.read(currentFile, loosely)
	if errors.Is(err, fs.ErrNotExist) {
		return seal.KeyID{}, ErrNone
	}
	if err != nil {
		return seal.KeyID{}, fmt.Errorf("read current key: %w", err)
	}
	id, err := seal.ParseKeyID(strings.TrimSuffix(string(text), "\n"))
	if err != nil {
		return seal.KeyID{}, fmt.Errorf("read current key: %s: %w", d.file(currentFile), err)
	}
	return id, nil
}

func (d *Dir) load(name string) (seal.PrivateKey, string, error) {
	text, err := d.read(name, looseFor)
	if err != nil {
		return seal.PrivateKey{}, "", err
	}
	private, label, err := parseKey(text)
	if err != nil {
		return seal.PrivateKey{}, "", fmt.Errorf("%s: %w", d.file(name), err)
	}
	return private, label, nil
}

func (d *Dir) file(name string) string { return filepath.Join(d.path, name) }

func keyFile(id seal.KeyID) string {
	return strings.Replace(id.String(), ":", "-", 1) + keySuffix
}

func currentText(id seal.KeyID) []byte { return []byte(id.String() + "\n") }
