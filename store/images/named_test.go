package images

import (
	"errors"
	"os"
	"testing"

	"carrel/machine/image"
)

// TestNamed has an image made once for each name, and again when what is kept of it
// cannot be used.
func TestNamed(t *testing.T) {
	s := store(t)
	made := 0
	get := func(name string, is *image.Label) *image.Image {
		t.Helper()
		img, err := s.Named(name, is, func() (*image.Image, error) { made++; return first(t), nil })
		must(t, err)
		if !img.Verified() {
			t.Fatalf("%s: not verified", name)
		}
		if img.Root() != first(t).Root() {
			t.Fatalf("%s is %s", name, img.RootString())
		}
		return img
	}
	other := *label
	other.GuestVersion++
	root := first(t).Root()
	for _, step := range []struct {
		what   string
		before func()
		name   string
		is     *image.Label
		made   int
	}{
		{"the first time", func() {}, "start-1", label, 1},
		{"again", func() {}, "start-1", label, 1},
		{"another name", func() {}, "start-2", label, 2},
		{"mapped pages that are damaged", func() { damage(t, s.mapped(root)) }, "start-1", label, 3},
		{"after that", func() {}, "start-1", label, 3},
		{"a name that is no root", func() { damage(t, s.named("start-1")) }, "start-1", label, 4},
		{"an image that is gone", func() { must(t, s.Delete(root)) }, "start-1", label, 5},
		{"another label", func() {}, "start-1", &other, 6},
	} {
		step.before()
		get(step.name, step.is)
		if made != step.made {
			t.Errorf("%s: made %d times, want %d", step.what, made, step.made)
		}
	}
	for _, name := range []string{"", "../x", "a/b", "A", ".", "-x", string(make([]byte, 200))} {
		if _, err := s.Named(name, label, func() (*image.Image, error) { return first(t), nil }); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	failed := errors.New("cannot be made")
	if _, err := s.Named("start-3", label, func() (*image.Image, error) { return nil, failed }); !errors.Is(err, failed) {
		t.Errorf("%v, want %v", err, failed)
	}
}

// damage changes bytes of a file.
func damage(t *testing.T, path string) {
	t.Helper()
	must(t, os.Chmod(path, 0o600))
	b, err := os.ReadFile(path)
	must(t, err)
	for n := range b {
		b[n] ^= 1
	}
	must(t, os.WriteFile(path, b, 0o600))
}
