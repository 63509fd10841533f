package images

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/machine/image"
)

const month = 30 * 24 * time.Hour

// aged is a store with a whole image and deltas of these ages in days, each kept
// as a delta to the one before.
func aged(t testing.TB, days ...int) (*Store, []*image.Image) {
	t.Helper()
	s := store(t)
	list := family(t, s, len(days)-1)
	for n, i := range list {
		age(t, days[n], s.files(i.Root())[0].path)
	}
	return s, list
}

func TestGC(t *testing.T) {
	for name, c := range map[string]struct {
		days []int
		kept []int
	}{
		"all are young":      {[]int{1, 2, 3}, []int{0, 1, 2}},
		"all are old":        {[]int{40, 50, 60}, nil},
		"the last is needed": {[]int{99, 40, 1}, []int{0, 1, 2}},
		"one is needed":      {[]int{99, 2, 50, 60}, []int{0, 1}},
		"only the whole":     {[]int{2, 50, 60}, []int{0}},
	} {
		t.Run(name, func(t *testing.T) {
			s, list := aged(t, c.days...)
			before := filesOf(t, s.Dir())
			would, err := s.GC(month, true)
			must(t, err)
			if !slices.Equal(filesOf(t, s.Dir()), before) {
				t.Error("a dry run removed something")
			}
			did, err := s.GC(month, false)
			must(t, err)
			if !slices.Equal(would, did) || len(did) != len(list)-len(c.kept) {
				t.Errorf("would remove %v, did %v", would, did)
			}
			for n, i := range list {
				_, err := s.Stat(i.Root())
				if kept := slices.Contains(c.kept, n); kept != (err == nil) {
					t.Errorf("image %d: %v", n, err)
				} else if kept {
					holds(t, s, i)
				}
			}
		})
	}
}

// A use is a get, a map, and a put of what is there; to be asked for is none.
func TestUse(t *testing.T) {
	root := first(t).Root()
	for name, c := range map[string]struct {
		use  func(s *Store) error
		kept bool
	}{
		"get":    {func(s *Store) error { _, _, err := s.Get(root); return err }, true},
		"map":    {func(s *Store) error { _, _, err := s.Map(root); return err }, true},
		"put":    {func(s *Store) error { _, err := s.Put(first(t), label); return err }, true},
		"stat":   {func(s *Store) error { _, err := s.Stat(root); return err }, false},
		"list":   {func(s *Store) error { _, err := s.List(); return err }, false},
		"verify": {func(s *Store) error { return s.Verify(root) }, false},
	} {
		s, _ := aged(t, 40)
		must(t, c.use(s))
		_, err := s.GC(month, false)
		must(t, err)
		if _, err := s.Stat(root); c.kept != (err == nil) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestGCOfOthers(t *testing.T) {
	s, list := aged(t, 1, 40)
	for _, i := range list {
		_, _, err := s.Map(i.Root())
		must(t, err)
	}
	age(t, 40, s.mapped(list[0].Root()))
	age(t, 1, s.path(list[1].Root(), deltaSuffix))
	staged := ".carrel-0123456789abcdef"
	for _, name := range []string{staged, "mapped/" + staged, ".carrel-fedcba9876543210", "README", "abcdef.image", ".carrel-notes", strings.Repeat("0", 64), strings.Repeat("1", 64) + ".txt"} {
		path := filepath.Join(s.Dir(), name)
		must(t, os.WriteFile(path, nil, 0o600))
		if name != ".carrel-fedcba9876543210" {
			age(t, 400, path)
		}
	}
	must(t, os.Mkdir(s.path([32]byte{2}, wholeSuffix), 0o700))
	before := filesOf(t, s.Dir())
	removed, err := s.GC(month, false)
	must(t, err)
	var gone []string
	for _, r := range removed {
		gone = append(gone, r.Path)
	}
	slices.Sort(gone)
	want := []string{staged, "mapped/" + staged, "mapped/" + filepath.Base(s.mapped(list[0].Root()))}
	if slices.Sort(want); !slices.Equal(gone, want) {
		t.Errorf("removed %v, want %v", gone, want)
	}
	after := append(filesOf(t, s.Dir()), gone...)
	if slices.Sort(after); !slices.Equal(after, sorted(before)) {
		t.Errorf("before %v, after %v", before, after)
	}
}

func sorted(list []string) []string { slices.Sort(list); return list }

// While nobody knows what a delta needs, no image goes.
func TestGCOfDamage(t *testing.T) {
	s, list := aged(t, 99, 99, 99)
	path := s.path(list[2].Root(), deltaSuffix)
	must(t, os.Remove(path))
	must(t, os.WriteFile(path, []byte("carrel-delta of the future"), fileMode))
	removed, err := s.GC(month, false)
	if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) || len(removed) > 0 {
		t.Errorf("removed %v: %v", removed, err)
	}
	holds(t, s, list[1])
	age(t, 99, path, s.path(list[1].Root(), deltaSuffix), s.mapped(list[1].Root()))
	removed, err = s.GC(month, false)
	must(t, err)
	if left := filesOf(t, s.Dir()); len(left) > 0 || len(removed) != 4 {
		t.Errorf("removed %v, left %v", removed, left)
	}
}

func TestDelete(t *testing.T) {
	s := store(t)
	list := family(t, s, 2)
	holds(t, s, list[1])
	for n, want := range map[int]error{0: ErrNeeded, 1: ErrNeeded} {
		if err := s.Delete(list[n].Root()); !errors.Is(err, want) {
			t.Errorf("image %d: %v", n, err)
		}
	}
	for _, i := range slices.Backward(list) {
		must(t, s.Delete(i.Root()))
		if err := s.Delete(i.Root()); !errors.Is(err, ErrNotFound) {
			t.Errorf("again: %v", err)
		}
	}
	if left := filesOf(t, s.Dir()); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
