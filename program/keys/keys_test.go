package keys

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"carrel/program/seal"
)

var update = flag.Bool("update", false, "write golden files")

// seed is a source of bytes that makes the test key n.
func seed(n byte) io.Reader { return bytes.NewReader(bytes.Repeat([]byte{n}, seal.SeedBytes)) }

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func newDir(t *testing.T) *Dir { return At(filepath.Join(t.TempDir(), "a", "keys")) }

func TestCreateAndRotate(t *testing.T) {
	d := newDir(t)
	if _, err := d.Current(); !errors.Is(err, ErrNone) {
		t.Fatalf("got %v", err)
	}
	if list, err := d.List(); err != nil || len(list) != 0 {
		t.Fatalf("got %v, %v", list, err)
	}
	first := must[Key](t)(d.Create(seed(1), "first"))
	second := must[Key](t)(d.Create(seed(2), "second"))
	if !first.Current || second.Current || must[seal.PrivateKey](t)(d.Current()).ID() != first.ID {
		t.Errorf("got %+v, %+v", first, second)
	}
	third := must[Key](t)(d.Rotate(seed(3), "third one"))
	if !third.Current || must[seal.PrivateKey](t)(d.Current()).ID() != third.ID {
		t.Errorf("got %+v", third)
	}
	list := must[[]Key](t)(d.List())
	if len(list) != 3 || list[0] != third || list[1].Current || list[2].Current || list[1].ID.String() > list[2].ID.String() {
		t.Errorf("got %+v", list)
	}

	// What an old key signed is still verified by what the directory knows.
	old := must[seal.PrivateKey](t)(d.Private(first.ID))
	envelope := must[*seal.Envelope](t)(seal.Sign(seal.Receipt, []byte("{}"), old))
	var trusted []seal.PublicKey
	for _, key := range list {
		trusted = append(trusted, key.Public)
	}
	if check := must[seal.Check](t)(envelope.Check(seal.Receipt, trusted)); len(check.Good) != 1 || check.Good[0] != first.Public {
		t.Errorf("got %+v", check)
	}

	if _, err := d.Private(seal.KeyID{1}); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
	if _, err := d.Create(seed(1), "again"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("the same key twice: %v", err)
	}
	if _, err := d.Create(strings.NewReader("short"), "short"); err == nil {
		t.Error("a key from five bytes")
	}
}

func TestModes(t *testing.T) {
	d := newDir(t)
	key := must[Key](t)(d.Create(seed(1), "mine"))
	for name, want := range map[string]fs.FileMode{".": 0o700, keyFile(key.ID): 0o600, currentFile: 0o600} {
		if info := must[fs.FileInfo](t)(os.Stat(d.file(name))); info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", name, info.Mode().Perm(), want)
		}
	}
	left := must[[]os.DirEntry](t)(os.ReadDir(d.path))
	if len(left) != 2 {
		t.Errorf("files are left over: %v", left)
	}
}

func TestLooseIsRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		mode  fs.FileMode
		loose bool
	}{
		{"key", 0o600, false}, {"key", 0o400, false}, {"key", 0o640, true}, {"key", 0o604, true}, {"key", 0o620, true}, {"key", 0o601, true},
		{".", 0o700, false}, {".", 0o755, false}, {".", 0o770, true}, {".", 0o707, true},
		{currentFile, 0o644, false}, {currentFile, 0o666, true},
	} {
		d := newDir(t)
		key := must[Key](t)(d.Create(seed(1), "mine"))
		name := strings.Replace(c.name, "key", keyFile(key.ID), 1)
		if err := os.Chmod(d.file(name), c.mode); err != nil {
			t.Fatal(err)
		}
		_, errCurrent := d.Current()
		_, errList := d.List()
		if errors.Is(errCurrent, ErrLoose) != c.loose || errors.Is(errList, ErrLoose) != c.loose {
			t.Errorf("%s with mode %04o: %v, %v", c.name, c.mode, errCurrent, errList)
		}
		if c.loose && !strings.Contains(errCurrent.Error(), "(chmod ") {
			t.Errorf("no cure in %v", errCurrent)
		}
	}
}

func TestStrangeFilesAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(d *Dir, key Key) error
		wrong  string
	}{
		{"a key under another name", func(d *Dir, key Key) error {
			return os.Rename(d.file(keyFile(key.ID)), d.file(keyFile(seal.KeyID{1})))
		}, "holds ed25519:34750f98"},
		{"a link for a key", func(d *Dir, key Key) error {
			name := d.file(keyFile(key.ID))
			return errors.Join(os.Rename(name, d.file("elsewhere")), os.Symlink("elsewhere", name))
		}, "not a plain file"},
		{"a directory for a key", func(d *Dir, key Key) error {
			name := d.file(keyFile(key.ID))
			return errors.Join(os.Remove(name), os.Mkdir(name, 0o700))
		}, "not a plain file"},
		{"a large key", func(d *Dir, key Key) error {
			return os.WriteFile(d.file(keyFile(key.ID)), make([]byte, keyFileBytesMax+1), 0o600)
		}, "larger than 4096 bytes"},
		{"an empty key", func(d *Dir, key Key) error { return os.Truncate(d.file(keyFile(key.ID)), 0) }, `line 1: want "carrel-key-v1"`},
		{"a pointer to nothing", func(d *Dir, _ Key) error { return os.WriteFile(d.file(currentFile), []byte("x\n"), 0o600) }, "does not begin with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDir(t)
			key := must[Key](t)(d.Create(seed(1), "mine"))
			if err := c.change(d, key); err != nil {
				t.Fatal(err)
			}
			if list, err := d.List(); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, %v; want an error with %q", list, err, c.wrong)
			}
			if _, err := d.Current(); err == nil {
				t.Error("the current key is used all the same")
			}
		})
	}
}

// TestKeyFile holds the vector of docs/formats/keys.md, and changes it.
func TestKeyFile(t *testing.T) {
	const file = "testdata/compat/v1/sample.key"
	key := must[seal.PrivateKey](t)(seal.GenerateKey(seed(1)))
	text := formatKey(key, "Ann's laptop")
	if *update {
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || !bytes.Equal(text, want) {
		t.Errorf("got %s, want %s (%v)", text, want, err)
	}
	back, name, err := parseKey(text)
	if err != nil || back.Public() != key.Public() || name != "Ann's laptop" {
		t.Errorf("got %v, %q, %v", back, name, err)
	}
	for _, c := range []struct{ old, new, wrong string }{
		{"carrel-key-v1", "carrel-key-v2", `line 1: want "carrel-key-v1"`},
		{"id ed25519:3", "id ed25519:4", "line 2 does not fit"},
		{"public ed25519-public:8", "public ed25519-public:9", "line 3 does not fit"},
		{"secret 01", "secret 02", "line 2 does not fit"},
		{"secret 01", "secret 1", "line 4: bad secret"},
		{"secret ", "", "line 4 does not fit"},
		{"name Ann's laptop", "name ", "line 5: name of 0 bytes"},
		{"name Ann's laptop", "name a\tb", "do not print"},
		{"laptop\n", "laptop", "want five lines"},
		{"laptop\n", "laptop\n\n", "want five lines"},
		{"\n", "\r\n", `line 1: want "carrel-key-v1"`},
	} {
		bad := strings.Replace(string(text), c.old, c.new, 1)
		_, _, err := parseKey([]byte(bad))
		if err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: got %v, want an error with %q", c.new, err, c.wrong)
		}
		if err != nil && strings.Contains(err.Error(), "010101") {
			t.Errorf("the secret is in the error: %v", err)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		name string
		good bool
	}{
		{"a", true}, {"Ann's laptop", true}, {"søster", true}, {strings.Repeat("x", NameBytesMax), true},
		{"", false}, {strings.Repeat("x", NameBytesMax+1), false}, {" a", false}, {"a ", false},
		{"a\nb", false}, {"a\x00", false}, {"a\x1b[31m", false}, {"\xff", false}, {"a\u202eb", false},
	} {
		_, err := newDir(t).Create(seed(1), c.name)
		if (err == nil) != c.good {
			t.Errorf("%q: got %v", c.name, err)
		}
	}
}

// TestConcurrent creates, rotates and lists at once, as processes would: each
// has a Dir of its own.
func TestConcurrent(t *testing.T) {
	path := newDir(t).path
	const callers = 16
	ids := make([]seal.KeyID, callers)
	var group sync.WaitGroup
	for n := range callers {
		group.Go(func() {
			key, err := At(path).Ensure(rand.Reader, "shared")
			if err != nil {
				t.Error(err)
				return
			}
			ids[n] = key.ID()
		})
	}
	group.Wait()
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("two current keys: %s and %s", id, ids[0])
		}
	}
	if list := must[[]Key](t)(At(path).List()); len(list) != 1 {
		t.Errorf("got %d keys, want 1", len(list))
	}
	for range callers {
		group.Go(func() {
			if _, err := At(path).Rotate(rand.Reader, "next"); err != nil {
				t.Error(err)
			}
			if _, err := At(path).Current(); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			if _, err := At(path).List(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	list := must[[]Key](t)(At(path).List())
	if len(list) != callers+1 || !list[0].Current {
		t.Errorf("got %d keys, want %d", len(list), callers+1)
	}
}

// TestFailedWriteLeavesNothing makes the directory unwritable in the only way
// that also stops root: it is a file.
func TestFailedWriteLeavesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := At(path).Create(seed(1), "x"); err == nil {
		t.Error("a key in a file")
	}
	if _, err := At(path).List(); err == nil {
		t.Error("a list of a file")
	}
}
