package posix

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/disk"
)

// Whatever a program does to a directory, after writing back the directory is
// what the program left.
func TestWriteBack(t *testing.T) {
	written, refused := 0, 0
	for seed := range uint64(60) {
		root := t.TempDir()
		for name, content := range map[string]string{"a": "1", "d/b": "2", "d/c/x": "deep", "dir/in": "3", "s": "->d/b", "x": "->x"} {
			path := filepath.Join(root, name)
			err := os.MkdirAll(filepath.Dir(path), 0o755)
			if target, link := strings.CutPrefix(content, "->"); link {
				err = errors.Join(err, os.Symlink(target, path))
			} else {
				err = errors.Join(err, os.WriteFile(path, []byte(content), 0o644))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		source, err := disk.Open(root)
		if err != nil {
			t.Fatal(err)
		}
		p := start(t, Config{Mounts: []Mount{{Guest: "/w", Writable: true, Tree: source}}})
		p.fuel = 1_000_000 // no big files
		random := rand.New(rand.NewPCG(seed, 3))
		for range 1000 {
			if err := p.act(func() byte { return byte(random.Uint32()) }); err == errFuelTest {
				break
			} else if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		p.s.caller = nil
		changes, err := p.s.Changes()
		if change := (*ChangeError)(nil); errors.As(err, &change) {
			refused++ // a link that leads outside
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		want, err := p.s.Files(0)
		if err != nil {
			t.Fatal(err)
		}
		if err := disk.Apply(root, changes); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, showChanges(changes))
		}
		got, err := start(t, Config{Mounts: []Mount{{Guest: "/w", Tree: source}}}).s.Files(0)
		if diff := cmp.Diff(showChanges(want), showChanges(got)); diff != "" || err != nil {
			t.Fatalf("seed %d: %v\n%s\n%s", seed, err, diff, showChanges(changes))
		}
		written += len(changes)
		source.Close()
	}
	if written < 100 {
		t.Errorf("%d changes written, %d trees refused: too few to say anything", written, refused)
	}
}
