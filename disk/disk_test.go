package disk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/tree"
)

// lay makes a tree: path to content, "/" at the end for a directory, "->" for
// a link.
func lay(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		at := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(at), 0o755))
		switch target, link := strings.CutPrefix(content, "->"); {
		case strings.HasSuffix(name, "/"):
			must(t, os.MkdirAll(at, 0o755))
		case link:
			must(t, os.Symlink(target, at))
		default:
			must(t, os.WriteFile(at, []byte(content), 0o644))
		}
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// show is a directory as text, one line a path.
func show(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if strings.HasPrefix(d.Name(), tempPrefix) {
			name = "left behind: " + name
		}
		switch d.Type() {
		case fs.ModeDir:
			fmt.Fprintf(&b, "%s/\n", name)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			must(t, err)
			fmt.Fprintf(&b, "%s -> %s\n", name, target)
		default:
			content, err := os.ReadFile(path)
			must(t, err)
			fmt.Fprintf(&b, "%s %q\n", name, content)
		}
		return nil
	}))
	return b.String()
}

func TestSource(t *testing.T) {
	dir := lay(t, map[string]string{
		"a": "alpha", "d/b": "beta", "d/e/": "", "in": "->d/b", "out": "->../../../../etc/passwd",
		"outdir": "->/etc",
	})
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	s, err := Open(dir)
	must(t, err)
	defer s.Close()

	for name, want := range map[string]tree.Kind{
		".": tree.Dir, "a": tree.File, "d": tree.Dir, "d/b": tree.File, "in": tree.Link, "out": tree.Link,
		"fifo": tree.Other,
	} {
		if kind, _, err := s.Stat(name); kind != want || err != nil {
			t.Errorf("stat %s: %v %v, want %v", name, kind, err, want)
		}
	}
	if _, _, err := s.Stat("nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat nothing: %v", err)
	}
	if _, _, err := s.Stat("outdir/passwd"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat through a link out: %v", err)
	}
	entries, err := s.List(".", 100)
	must(t, err)
	slices.SortFunc(entries, func(a, b tree.Entry) int { return strings.Compare(a.Name, b.Name) })
	want := []tree.Entry{{Name: "a", Kind: tree.File}, {Name: "d", Kind: tree.Dir}, {Name: "fifo", Kind: tree.Other},
		{Name: "in", Kind: tree.Link}, {Name: "out", Kind: tree.Link}, {Name: "outdir", Kind: tree.Link}}
	if diff := cmp.Diff(want, entries); diff != "" {
		t.Error(diff)
	}
	if _, err := s.List(".", 5); err == nil {
		t.Error("a directory with too many entries was listed")
	}
	for _, name := range []string{"outdir", "a", "in"} {
		if _, err := s.List(name, 100); err == nil {
			t.Errorf("listed %s", name)
		}
	}
	if target, err := s.Link("out"); target != "../../../../etc/passwd" || err != nil {
		t.Errorf("link: %q %v", target, err)
	}
	for _, name := range []string{"out", "in", "fifo", "d", "outdir/passwd"} {
		if _, err := s.Read(name, 10); err == nil {
			t.Errorf("read %s", name)
		}
	}
	for size, want := range map[int64]string{5: "alpha", 3: "alph", 9: "alpha"} {
		if content, err := s.Read("a", size); string(content) != want || err != nil {
			t.Errorf("read a of %d bytes: %q %v", size, content, err)
		}
	}
}

func TestSourceOfOneFile(t *testing.T) {
	dir := lay(t, map[string]string{"a": "alpha"})
	s, err := Open(filepath.Join(dir, "a"))
	must(t, err)
	kind, size, err := s.Stat(".")
	content, readErr := s.Read(".", size)
	if kind != tree.File || size != 5 || string(content) != "alpha" || err != nil || readErr != nil {
		t.Errorf("got %v %d %q %v %v", kind, size, content, err, readErr)
	}
	if _, _, err := s.Stat("x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat below a file: %v", err)
	}
	if _, err := Open("/dev/null"); err == nil {
		t.Error("opened a device")
	}
}

func file(path, content string, was tree.Kind) tree.Change {
	return tree.Change{Path: path, Was: was, Kind: tree.File, Data: []byte(content)}
}
func made(path string) tree.Change { return tree.Change{Path: path, Kind: tree.Dir} }
func gone(path string, was tree.Kind) tree.Change {
	return tree.Change{Path: path, Was: was}
}
func link(path, target string, was tree.Kind) tree.Change {
	return tree.Change{Path: path, Was: was, Kind: tree.Link, Target: target}
}

func TestApply(t *testing.T) {
	before := map[string]string{"a": "old", "d/b": "old", "d/c": "old", "e/": "", "l": "->a", "x": "->d"}
	for name, tt := range map[string]struct {
		changes []tree.Change
		want    string // "" if nothing may change
	}{
		"nothing":  {nil, ""},
		"new":      {[]tree.Change{file("n", "new", 0), made("m"), made("m/k"), file("m/k/f", "deep", 0), link("m/l", "k/f", 0)}, "m/\nm/k/\nm/k/f \"deep\"\nm/l -> k/f\nn \"new\"\n"},
		"modified": {[]tree.Change{file("a", "new", tree.File), link("l", "d/b", tree.Link)}, "a \"new\"\nl -> d/b\n"},
		"removed":  {[]tree.Change{gone("d", tree.Dir), gone("d/b", tree.File), gone("d/c", tree.File), gone("l", tree.Link)}, "-d/\n-d/b\n-d/c\n-l\n"},
		"file to dir": {[]tree.Change{{Path: "a", Was: tree.File, Kind: tree.Dir}, file("a/f", "in", 0)},
			"-a\na/\na/f \"in\"\n"},
		"dir to file": {[]tree.Change{file("d", "flat", tree.Dir), gone("d/b", tree.File), gone("d/c", tree.File)},
			"-d/\n-d/b\n-d/c\nd \"flat\"\n"},
		"link to file":      {[]tree.Change{file("l", "real", tree.Link)}, "-l\nl \"real\"\n"},
		"through a link":    {[]tree.Change{file("x/b", "evil", tree.File)}, ""},
		"made through link": {[]tree.Change{file("x/new", "evil", 0)}, ""},
		"above":             {[]tree.Change{file("../evil", "evil", 0)}, ""},
		"absolute":          {[]tree.Change{file("/evil", "evil", 0)}, ""},
		"twice":             {[]tree.Change{file("n", "1", 0), file("n", "2", 0)}, ""},
		"not what it was":   {[]tree.Change{file("n", "new", 0), file("e", "new", tree.File)}, ""},
		"there meanwhile":   {[]tree.Change{made("n"), file("a", "new", 0)}, ""},
		"gone meanwhile":    {[]tree.Change{made("m"), file("m/f", "x", 0), gone("zz", tree.File)}, ""},
		"parent is missing": {[]tree.Change{file("n", "new", 0), file("q/f", "new", 0)}, ""},
		"a device":          {[]tree.Change{made("m"), {Path: "m/dev", Kind: tree.Other}}, ""},
		"name is too long":  {[]tree.Change{made("m"), file("m/"+strings.Repeat("x", 300), "", 0)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := lay(t, before)
			old := show(t, dir)
			err := Apply(dir, tt.changes)
			if tt.want == "" {
				if err == nil && tt.changes != nil {
					t.Error("no error")
				}
				if diff := cmp.Diff(old, show(t, dir)); diff != "" {
					t.Error(diff)
				}
				return
			}
			must(t, err)
			if diff := cmp.Diff(patched(old, tt.want), show(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// patched is a shown directory with lines replaced, removed or added.
func patched(old, patch string) string {
	lines := map[string]string{}
	for line := range strings.Lines(old) {
		lines[strings.Fields(line)[0]] = line
	}
	for line := range strings.Lines(patch) {
		if name, cut := strings.CutPrefix(strings.TrimSpace(line), "-"); cut {
			delete(lines, name)
		} else {
			lines[strings.Fields(line)[0]] = line
		}
	}
	names := make([]string, 0)
	for name := range lines {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return strings.Compare(strings.ReplaceAll(a, "/", "\x00"), strings.ReplaceAll(b, "/", "\x00"))
	})
	var b strings.Builder
	for _, name := range names {
		b.WriteString(lines[name])
	}
	return b.String()
}

func TestApplyKeepsPermissions(t *testing.T) {
	dir := lay(t, map[string]string{"run": "old"})
	must(t, os.Chmod(filepath.Join(dir, "run"), 0o751))
	must(t, Apply(dir, []tree.Change{file("run", "new", tree.File)}))
	info, err := os.Stat(filepath.Join(dir, "run"))
	must(t, err)
	if info.Mode() != 0o751 {
		t.Errorf("mode %v", info.Mode())
	}
}

// A directory that cannot be emptied, since something came into it meanwhile,
// stops the second phase; the error tells what was done before.
func TestApplySecondPhase(t *testing.T) {
	dir := lay(t, map[string]string{"d/b": "old", "d/unseen": "new", "z": "old"})
	err := Apply(dir, []tree.Change{gone("d", tree.Dir), gone("d/b", tree.File), gone("z", tree.File), file("a", "new", 0)})
	apply := (*ApplyError)(nil)
	if !errors.As(err, &apply) {
		t.Fatalf("got %v", err)
	}
	if diff := cmp.Diff([]string{"z", "d/b"}, apply.Removed); diff != "" || apply.Path != "d" || len(apply.Written) > 0 {
		t.Errorf("%+v", apply)
	}
	if diff := cmp.Diff("d/\nd/unseen \"new\"\n", show(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestReplace(t *testing.T) {
	dir := lay(t, map[string]string{"old": "old", "l": "->old", "d/": ""})
	for _, name := range []string{"old", "new", "l"} {
		must(t, Replace(filepath.Join(dir, name), content([]byte("new"))))
	}
	failed := errors.New("no more")
	err := Replace(filepath.Join(dir, "old"), func(w io.Writer) error {
		_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<16))
		return failed
	})
	if !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if err := Replace(filepath.Join(dir, "d"), content(nil)); err == nil {
		t.Error("a directory was replaced")
	}
	if diff := cmp.Diff("d/\nl \"new\"\nnew \"new\"\nold \"new\"\n", show(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestInstall(t *testing.T) {
	dir := lay(t, map[string]string{"old": "old", "d/": ""})
	sparse := func(f *os.File) error {
		_, err := f.WriteAt([]byte("end"), 1<<20-3)
		return err
	}
	for _, name := range []string{"old", "new"} {
		name = filepath.Join(dir, name)
		must(t, Install(name, 0o400, sparse))
		info, err := os.Stat(name)
		must(t, err)
		if info.Mode() != 0o400 || info.Size() != 1<<20 {
			t.Errorf("%s: mode %v, %d bytes", name, info.Mode(), info.Size())
		}
	}
	failed := errors.New("no more")
	if err := Install(filepath.Join(dir, "new"), 0o400, func(*os.File) error { return failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if err := Install(filepath.Join(dir, "d"), 0o400, sparse); err == nil {
		t.Error("a directory was replaced")
	}
	left, err := os.ReadDir(dir)
	must(t, err)
	if len(left) != 3 {
		t.Errorf("left: %v", left)
	}
}

func TestStaged(t *testing.T) {
	if name := tempName(); !Staged(name) {
		t.Errorf("%s is not known again", name)
	}
	for _, name := range []string{"", "a", ".carrel-", ".carrel-123", ".carrel-0123456789abcdeg", "carrel-0123456789abcdef", ".carrel-0123456789abcdef0"} {
		if Staged(name) {
			t.Errorf("%s counts as ours", name)
		}
	}
}

// One file of a mount is changed in place.
func TestApplyToFile(t *testing.T) {
	dir := lay(t, map[string]string{"f": "old"})
	must(t, Apply(filepath.Join(dir, "f"), []tree.Change{file(".", "new", tree.File)}))
	if diff := cmp.Diff("f \"new\"\n", show(t, dir)); diff != "" {
		t.Error(diff)
	}
}
