package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/npm"
)

// archive writes the archive of a package whose files hold their names, and
// gives the package with its hash.
func archive(t *testing.T, dir string, names ...string) npm.Package {
	t.Helper()
	var b bytes.Buffer
	compressed := gzip.NewWriter(&b)
	w := tar.NewWriter(compressed)
	for _, name := range names {
		header := &tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o777, Size: int64(len(name))}
		if strings.HasSuffix(name, "@") {
			header = &tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := w.Write([]byte(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	sum := sha512.Sum512(b.Bytes())
	p := npm.Package{Name: "@some/thing", Version: "1.2.3", Integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
	if err := os.WriteFile(filepath.Join(dir, p.Archive()), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestUnpack(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	p := archive(t, from, "package/a.js", "package/lib/b.js", "package/../../out.js", "package/skip", "package/link@", "alone")
	if p.Archive() != "some-thing-1.2.3.tgz" {
		t.Errorf("archive %s", p.Archive())
	}
	archives, err := npm.Archives(context.Background(), t.TempDir(), from, p)
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	place := func(name string) string {
		asked = append(asked, name)
		if name == "skip" {
			return ""
		}
		return filepath.Join(to, name)
	}
	if err := p.Unpack(archives[0], place); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, " "); got != "a.js lib/b.js skip" {
		t.Errorf("it asked where to put %s", got)
	}
	if b, err := os.ReadFile(filepath.Join(to, "lib/b.js")); err != nil || string(b) != "package/lib/b.js" {
		t.Errorf("lib/b.js holds %q, %v", b, err)
	}
	if err := p.Unpack(archives[0], place); !errors.Is(err, os.ErrExist) {
		t.Errorf("what is there is written over: %v", err)
	}
	p.Integrity = "sha512-AAAA"
	if err := p.Unpack(archives[0], place); err == nil || !strings.Contains(err.Error(), "it is not @some/thing@1.2.3: its hash is sha512-") {
		t.Errorf("with another hash: %v", err)
	}
}

func TestArchives(t *testing.T) {
	one := npm.Package{Name: "one", Version: "1.0.0"}
	if _, err := npm.Archives(context.Background(), t.TempDir(), "one.tgz", one, one); err == nil || !strings.Contains(err.Error(), "(one-1.0.0.tgz)") {
		t.Errorf("two packages in one file: %v", err)
	}
	if got, err := npm.Archives(context.Background(), t.TempDir(), "one.tgz", one); err != nil || got[0] != "one.tgz" {
		t.Errorf("of a file: %v, %v", got, err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := npm.Archives(context.Background(), t.TempDir(), "", one); err == nil || !strings.Contains(err.Error(), "install npm") {
		t.Errorf("without npm: %v", err)
	}
}

func TestInstall(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tools", "it")
	fill := func(text string) func(temp, ready string) error {
		return func(_, ready string) error {
			if err := os.Mkdir(ready, 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(ready, "file"), []byte(text), 0o644)
		}
	}
	complete := func(dir string) error {
		if b, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || len(b) == 0 {
			return errors.New("incomplete")
		}
		return nil
	}
	if err := npm.Install(dir, fill(""), complete); err == nil {
		t.Error("what lacks something was installed")
	}
	for _, text := range []string{"first", "second"} {
		if err := npm.Install(dir, fill(text), complete); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, "file")); err != nil || string(b) != "first" {
		t.Errorf("%q, %v: what was there is to stay", b, err)
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func FuzzPlaces(f *testing.F) {
	f.Add([]byte(`{"lockfileVersion":3,"packages":{"":{},"node_modules/@a/b":{"version":"1.0.0","integrity":"sha512-x"}}}`))
	f.Add([]byte(`{"lockfileVersion":3,"packages":{"node_modules/a/node_modules/../../../b":{"version":"1.0.0","integrity":"sha512-x"}}}`))
	f.Fuzz(func(t *testing.T, lock []byte) {
		places, err := npm.Places(lock)
		if err != nil {
			return
		}
		for _, p := range places {
			if !filepath.IsLocal(p.Dir) || p.Name == "" || p.Version == "" {
				t.Errorf("%+v", p)
			}
		}
	})
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct{ lock, want string }{
		{`{"lockfileVersion":3,"packages":{"":{},"node_modules/b/node_modules/@a/c":{"version":"2.0.0","integrity":"sha512-y"},"node_modules/b":{"version":"1.0.0","integrity":"sha512-x"}}}`, "node_modules/b b@1.0.0, node_modules/b/node_modules/@a/c @a/c@2.0.0"},
		{`{"lockfileVersion":2}`, "lock file of version 2: only 3 is known"},
		{`{"lockfileVersion":3,"packages":{"node_modules/b":{"version":"1.0.0"}}}`, `lock file: "node_modules/b" has no version, or no SHA-512`},
		{`{"lockfileVersion":3,"packages":{"../b":{"version":"1.0.0"}}}`, `lock file: "../b" is no package of npm`},
		{`{"lockfileVersion":3,"packages":{"../node_modules/b":{"version":"1.0.0","integrity":"sha512-x"}}}`, `lock file: "../node_modules/b" is no package of npm`},
		{`[`, "lock file: unexpected end of JSON input"},
	} {
		places, err := npm.Places([]byte(c.lock))
		var got []string
		for _, p := range places {
			got = append(got, p.Dir+" "+p.String())
		}
		text := strings.Join(got, ", ")
		if err != nil {
			text = err.Error()
		}
		if text != c.want {
			t.Errorf("%s: %s, want %s", c.lock, text, c.want)
		}
	}
}
