package images

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/machine/image"
	"carrel/machine/page"
	"carrel/program/seal"
)

var label = &image.Label{MachineVersion: 1, Program: seal.Sum([]byte("a program")), Guest: "posix", GuestVersion: 1}

const memoryBytes = 5 << 20

// first is an image whose file has some kilobytes, and of which most is holes.
func first(t testing.TB) *image.Image {
	t.Helper()
	b := page.NewBuilder(memoryBytes)
	var content [page.Size]byte
	for n := range 6 {
		for i := range content {
			content[i] = byte(i*i>>3 ^ i*n ^ n)
		}
		b.Set(100*n+3, content[:])
	}
	memory, err := b.Snapshot()
	must(t, err)
	return &image.Image{Memory: memory, Globals: []uint64{1 << 20, 7}, Host: []byte("\xa1\x61n\x01")}
}

// next is an image that differs in one page and a global.
func next(before *image.Image, n int) *image.Image {
	var content [page.Size]byte
	before.Memory.Read(3, content[:])
	content[n] ^= 0xff
	return &image.Image{
		Memory:  before.Memory.With(before.Memory.Bytes(), []page.Change{{Page: 3, Content: &content}}),
		Globals: []uint64{1 << 20, uint64(n) + 8}, Host: before.Host,
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func store(t testing.TB) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "images"), Options{})
	must(t, err)
	return s
}

// family puts an image and n that came of it, one of the other.
func family(t testing.TB, s *Store, n int) []*image.Image {
	t.Helper()
	list := []*image.Image{first(t)}
	_, err := s.Put(list[0], label)
	must(t, err)
	for i := range n {
		list = append(list, next(list[i], i))
		_, err := s.PutAfter(list[i+1], label, list[i])
		must(t, err)
	}
	return list
}

// holds checks that an image comes back from a store in both ways.
func holds(t testing.TB, s *Store, want *image.Image) {
	t.Helper()
	got, gotLabel, err := s.Get(want.Root())
	must(t, err)
	if got.Root() != want.Root() || *gotLabel != *label {
		t.Errorf("got %v %+v", got.RootString(), gotLabel)
	}
	mapped, gotLabel, err := s.Map(want.Root())
	must(t, err)
	must(t, mapped.Verify())
	if mapped.Root() != want.Root() || *gotLabel != *label {
		t.Errorf("mapped %v %+v", mapped.RootString(), gotLabel)
	}
	must(t, s.Verify(want.Root()))
}

func stat(t testing.TB, s *Store, i *image.Image) *Info {
	t.Helper()
	info, err := s.Stat(i.Root())
	must(t, err)
	return info
}

func TestPut(t *testing.T) {
	s := store(t)
	if list, err := s.List(); len(list) > 0 || err != nil {
		t.Errorf("an empty store: %v %v", list, err)
	}
	if _, _, err := s.Get(first(t).Root()); !errors.Is(err, ErrNotFound) {
		t.Errorf("an empty store: %v", err)
	}
	empty := &image.Image{}
	for _, i := range []*image.Image{first(t), empty, {Memory: page.Empty().With(3*extentUnit, nil)}} {
		for range 2 {
			root, err := s.Put(i, label)
			must(t, err)
			if root != i.Root() {
				t.Errorf("root %x", root)
			}
		}
		holds(t, s, i)
	}
	info, err := os.Stat(s.Dir())
	must(t, err)
	if info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v", info.Mode())
	}
	other := *label
	other.Program = seal.Sum([]byte("another"))
	if _, err := s.Put(empty, &other); !errors.Is(err, ErrLabel) {
		t.Errorf("another label: %v", err)
	}
	if _, err := s.Put(next(first(t), 1), &image.Label{}); err == nil {
		t.Error("no label is kept")
	}
	got := stat(t, s, first(t))
	want := Info{Header: image.Header{Label: *label, Root: first(t).Root(), MemoryBytes: memoryBytes, Globals: 2, HostBytes: 4},
		Bytes: got.Bytes, Mapped: true, MappedBytes: got.MappedBytes, Used: got.Used}
	if *got != want || got.Bytes == 0 || got.MappedBytes == 0 {
		t.Errorf("got %+v", got)
	}
}

func TestPutAfter(t *testing.T) {
	s := store(t)
	list := family(t, s, 2*ChainMax+3)
	for n, i := range list {
		depth := n % (ChainMax + 1)
		base := page.Hash{}
		if depth > 0 {
			base = list[n-1].Root()
		}
		if info := stat(t, s, i); info.Depth != depth || info.Base != base || info.Label != *label || info.Damage != nil {
			t.Errorf("image %d: %+v", n, info)
		}
		holds(t, s, i)
	}
	infos, err := s.List()
	must(t, err)
	if len(infos) != len(list) || !slices.IsSortedFunc(infos, func(a, b *Info) int { return bytes.Compare(a.Root[:], b.Root[:]) }) {
		t.Errorf("%d images are listed", len(infos))
	}
}

// What is not worth a delta, or cannot be one, is kept whole.
func TestPutAfterWhole(t *testing.T) {
	one := first(t)
	unlike := first(t)
	for n := range unlike.Memory.Pages() {
		content := [page.Size]byte{byte(n), byte(n >> 8), 1}
		unlike.Memory = unlike.Memory.With(memoryBytes, []page.Change{{Page: n, Content: &content}})
	}
	other := *label
	other.GuestVersion++
	for name, c := range map[string]struct {
		img    *image.Image
		label  *image.Label
		before *image.Image
	}{
		"differs too much":    {unlike, label, one},
		"another label":       {next(one, 1), &other, one},
		"base is not there":   {next(one, 1), label, next(one, 2)},
		"nothing comes of it": {next(one, 1), label, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := store(t)
			_, err := s.Put(one, label)
			must(t, err)
			_, err = s.PutAfter(c.img, c.label, c.before)
			must(t, err)
			if info := stat(t, s, c.img); info.Depth != 0 || info.Label != *c.label {
				t.Errorf("got %+v", info)
			}
		})
	}
}

func TestMap(t *testing.T) {
	s := store(t)
	list := family(t, s, 1)
	for _, i := range list {
		path := s.mapped(i.Root())
		holds(t, s, i)
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode() != fileMode || info.Size() != 504*page.Size/extentUnit*extentUnit+extentUnit || allocated(info) > info.Size()/4 {
			t.Errorf("%v, %d bytes, %d on disk", info.Mode(), info.Size(), allocated(info))
		}
		for name, spoil := range map[string]func(content []byte) []byte{
			"altered":          func(b []byte) []byte { b[3*page.Size+17] ^= 1; return b },
			"a hole filled":    func(b []byte) []byte { b[30*page.Size] = 1; return b },
			"cut by 64 KiB":    func(b []byte) []byte { return b[:len(b)-extentUnit] },
			"cut by a byte":    func(b []byte) []byte { return b[:len(b)-1] },
			"nothing left":     func([]byte) []byte { return nil },
			"longer than it":   func([]byte) []byte { return make([]byte, memoryBytes+extentUnit) },
			"something else's": func([]byte) []byte { return []byte("not pages") },
		} {
			before, _, err := s.Map(i.Root())
			must(t, err)
			content, err := os.ReadFile(path)
			must(t, err)
			must(t, os.Remove(path))
			must(t, os.WriteFile(path, spoil(content), fileMode))
			if err := s.Verify(i.Root()); !errors.Is(err, ErrMapped) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: verify %v", name, err)
			}
			got, _, err := s.Map(i.Root()) // it may see at once that the length is wrong
			must(t, err)
			if err := got.Verify(); err != nil && !errors.Is(err, image.ErrRoot) {
				t.Errorf("%s: %v", name, err)
			}
			must(t, s.Discard(i.Root()))
			holds(t, s, i)
			must(t, before.Verify()) // it has the old file
		}
	}
	must(t, s.Discard(page.Hash{}))
	if _, _, err := s.Map(page.Hash{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

func TestLimits(t *testing.T) {
	s := store(t)
	i := family(t, s, 1)[1]
	small, err := Open(s.Dir(), Options{Limits: image.Limits{MemoryBytes: memoryBytes - 1}})
	must(t, err)
	if _, _, err := small.Get(i.Root()); err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "at most 5242879 are wanted here") {
		t.Errorf("get: %v", err)
	}
	if _, _, err := small.Map(i.Root()); err == nil || !strings.Contains(err.Error(), "at most 5242879 are wanted here") {
		t.Errorf("map: %v", err)
	}
}

func TestResolve(t *testing.T) {
	s := store(t)
	i := first(t)
	root, err := s.Put(i, label)
	must(t, err)
	twin := root
	twin[31] ^= 1
	must(t, os.WriteFile(s.path(twin, wholeSuffix), nil, fileMode))
	must(t, os.WriteFile(s.path(twin, deltaSuffix), nil, fileMode)) // still one image
	all := strings.TrimPrefix(i.RootString(), "sha256:")
	for prefix, want := range map[string]error{
		all: nil, "sha256:" + all: nil,
		all[:63]: ErrAmbiguous, all[:PrefixMin]: ErrAmbiguous, "sha256:" + all[:12]: ErrAmbiguous,
		"000000": ErrNotFound, "sha256:" + strings.Repeat("0", 64): ErrNotFound,
	} {
		got, err := s.Resolve(prefix)
		if !errors.Is(err, want) || want == nil && got != root {
			t.Errorf("%s: %x %v", prefix, got, err)
		}
	}
	for _, prefix := range []string{"", "sha256:", all[:PrefixMin-1], all + "0", "ABCDEF", "xyzxyz", "../../"} {
		if _, err := s.Resolve(prefix); err == nil || !strings.Contains(err.Error(), "6 to 64 hexadecimal digits") {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o770))
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "chmod go-w") {
		t.Errorf("others may write: %v", err)
	}
	name := filepath.Join(dir, "file")
	must(t, os.WriteFile(name, nil, 0o600))
	if _, err := Open(name, Options{}); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("a file: %v", err)
	}
	s, err := Open(filepath.Join(dir, "later"), Options{})
	must(t, err)
	must(t, os.WriteFile(s.Dir(), nil, 0o600))
	if _, err := s.Put(first(t), label); err == nil {
		t.Error("a file became a directory")
	}
}

// Whatever is done to the files of an image, no other image comes of them, and the
// error names the file.
func TestDamage(t *testing.T) {
	s := store(t)
	list := family(t, s, 2)
	wants := func(path string, content []byte) {
		t.Helper()
		must(t, os.Remove(path))
		must(t, os.WriteFile(path, content, fileMode))
		for _, i := range list {
			got, _, err := s.Get(i.Root())
			switch {
			case err == nil && got.Root() != i.Root():
				t.Fatalf("%s: another image", path)
			case err != nil && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path)):
				t.Fatalf("%s: %v", path, err)
			}
		}
		if _, err := s.List(); err != nil {
			t.Fatalf("%s: list: %v", path, err)
		}
	}
	for _, path := range []string{s.path(list[0].Root(), wholeSuffix), s.path(list[1].Root(), deltaSuffix)} {
		content, err := os.ReadFile(path)
		must(t, err)
		for n := 0; n < len(content); n += 1 + n/40 {
			wants(path, content[:n])
			if _, _, err := s.Get(list[2].Root()); err == nil {
				t.Fatalf("the first %d bytes are enough", n)
			}
			altered := bytes.Clone(content)
			altered[n] ^= 4
			wants(path, altered)
		}
		wants(path, append(bytes.Clone(content), 0))
		wants(path, []byte("some other file\n"))
		wants(path, content)
		holds(t, s, list[2])
	}

	// The right file under a wrong name.
	one, two := s.path(list[1].Root(), deltaSuffix), s.path(list[2].Root(), deltaSuffix)
	must(t, os.Remove(one))
	must(t, os.Rename(two, one))
	if _, _, err := s.Get(list[1].Root()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "it holds "+list[2].RootString()) {
		t.Errorf("got %v", err)
	}
	// A delta to nothing.
	must(t, os.Rename(one, two))
	if _, _, err := s.Get(list[2].Root()); !errors.Is(err, ErrDamaged) || errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), "which is not there") {
		t.Errorf("got %v", err)
	}
	if info := stat(t, s, list[2]); info.Damage == nil || info.Base != list[1].Root() {
		t.Errorf("got %+v", info)
	}
	// What is damaged is mended by putting it again.
	_, err := s.PutAfter(list[2], label, list[0])
	must(t, err)
	holds(t, s, list[2])
	must(t, os.Remove(s.path(list[2].Root(), wholeSuffix)))
	must(t, s.Mend(list[0], label)) // there is nothing to be mended
	content, err := os.ReadFile(s.path(list[0].Root(), wholeSuffix))
	must(t, err)
	content[len(content)-20] ^= 1
	must(t, os.Remove(s.path(list[0].Root(), wholeSuffix)))
	must(t, os.WriteFile(s.path(list[0].Root(), wholeSuffix), content, fileMode))
	if _, err := s.Put(list[0], label); err != nil || s.Verify(list[0].Root()) == nil {
		t.Errorf("pages that are damaged: %v, and they are good", err)
	}
	must(t, s.Mend(list[0], label))
	holds(t, s, list[0])
	// A link is not ours.
	link := s.path(list[1].Root(), wholeSuffix)
	must(t, os.Symlink(s.path(list[0].Root(), wholeSuffix), link))
	if _, _, err := s.Get(list[1].Root()); !errors.Is(err, ErrNotFound) {
		t.Errorf("a link is followed: %v", err)
	}
}

// Deltas that lead to each other, or too far, have no end that is waited for.
func TestChainWithoutEnd(t *testing.T) {
	s := store(t)
	list := family(t, s, ChainMax)
	last := next(list[ChainMax], 99)
	delta, err := image.Diff(list[ChainMax], last)
	must(t, err)
	must(t, os.WriteFile(s.path(last.Root(), deltaSuffix), delta.Append(nil), fileMode))
	if _, _, err := s.Get(last.Root()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "more than 16 deltas") {
		t.Errorf("got %v", err)
	}
	back, err := image.Diff(last, list[0])
	must(t, err)
	must(t, os.WriteFile(s.path(list[0].Root(), deltaSuffix), back.Append(nil), fileMode))
	must(t, os.Remove(s.path(list[0].Root(), wholeSuffix)))
	if _, _, err := s.Get(last.Root()); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	_, err = s.GC(time.Hour, false)
	must(t, err)
}

// age makes an image look as if it was last used some days ago.
func age(t testing.TB, days int, paths ...string) {
	t.Helper()
	for _, path := range paths {
		at := time.Now().AddDate(0, 0, -days)
		must(t, os.Chtimes(path, at, at))
	}
}

func filesOf(t testing.TB, dir string) (list []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			path, err = filepath.Rel(dir, path)
			list = append(list, path)
		}
		return err
	}))
	return list
}
