package images

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"carrel/machine/image"
)

const namedDir = "named"

// validName is what an image can be called.
var validName = regexp.MustCompile(`^[0-9a-z][0-9a-z.-]{0,127}$`)

// Named gives the image that make makes. What it depends on is told by its name, of
// small letters, digits, dots and dashes: it is made once, and mapped when it is
// asked for again. It is verified. That it cannot be kept, the disk being full, say,
// is no error.
func (s *Store) Named(name string, label *image.Label, make func() (*image.Image, error)) (*image.Image, error) {
	if !validName.MatchString(name) {
		return nil, fmt.Errorf("%q cannot be the name of an image", name)
	}
	if img := s.find(name, label); img != nil {
		return img, nil
	}
	img, err := make()
	if err != nil {
		return nil, err
	}
	_ = s.keep(name, img, label)
	return img, nil
}

// find is the image of a name, nil if it is not there or not what it should be.
func (s *Store) find(name string, label *image.Label) *image.Image {
	digits, err := os.ReadFile(s.named(name))
	if err != nil {
		return nil
	}
	root, suffix, ok := parseName(strings.TrimSuffix(string(digits), "\n"))
	if !ok || suffix != "" {
		return nil
	}
	img, is, err := s.mapImage(root)
	if err != nil || *is != *label {
		return nil
	}
	if errors.Is(img.Verify(), image.ErrRoot) {
		_ = s.Discard(root)
		return nil
	}
	return img
}

func (s *Store) keep(name string, img *image.Image, label *image.Label) error {
	root, err := s.Put(img, label)
	if err != nil {
		return err
	}
	path := s.named(name)
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	return s.install(path, fileMode, func(f *os.File) error {
		_, err := fmt.Fprintln(f, hex.EncodeToString(root[:]))
		return err
	})
}

func (s *Store) named(name string) string { return filepath.Join(s.dir, namedDir, name) }
