package receipt

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"carrel/program/seal"
)

// memory is a source of blobs, some of which may lie.
type memory map[seal.Digest][]byte

func (m memory) Blob(digest seal.Digest) (io.ReadCloser, error) {
	data, ok := m[digest]
	if !ok {
		return nil, ErrNoBlob
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func TestOpenBlobChecks(t *testing.T) {
	want := []byte("the right bytes")
	name := NewBlob(want)
	for _, c := range []struct {
		name, content, wrong string
	}{
		{"right", "the right bytes", ""},
		{"wrong", "the wrong bytes", "the bytes are sha256:"},
		{"short", "the right", "the bytes are sha256:"},
		{"long", "the right bytes and more", "more than 15 bytes"},
		{"empty", "", "the bytes are sha256:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadBlob(memory{name.Digest: []byte(c.content)}, name, 15)
			if c.wrong == "" {
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %q, %v; want an error with %q", got, err, c.wrong)
			}
		})
	}
	if _, err := ReadBlob(memory{}, name, 14); err == nil || !strings.Contains(err.Error(), "15 bytes, at most 14") {
		t.Errorf("got %v", err)
	}
	if _, err := ReadBlob(memory{}, name, 15); !errors.Is(err, ErrNoBlob) {
		t.Errorf("got %v", err)
	}
	if got, err := ReadBlob(memory{}, NewBlob(nil), 0); err != nil || len(got) != 0 {
		t.Errorf("the empty blob: %q, %v", got, err)
	}
}

func TestSources(t *testing.T) {
	a, b, c, d := NewBlob([]byte("a")), NewBlob([]byte("b")), NewBlob([]byte("c")), NewBlob([]byte("d"))
	files := fstest.MapFS{b.Digest.Hex(): {Data: []byte("b")}}
	sources := Sources{
		memory{c.Digest: []byte("c")},
		memory{a.Digest: []byte("a")},
		Tree{files},
	}
	for blob, want := range map[Blob]string{a: "a", b: "b", c: "c"} {
		if got, err := ReadBlob(sources, blob, 1); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	if _, err := ReadBlob(sources, d, 1); !errors.Is(err, ErrNoBlob) {
		t.Errorf("got %v", err)
	}
	broken := errors.New("broken disk")
	if _, err := (Sources{failing{broken}, memory{}}).Blob(a.Digest); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Blob(seal.Digest) (io.ReadCloser, error) { return nil, f.err }

func TestBlobs(t *testing.T) {
	check := func(got []Blob, names ...string) {
		t.Helper()
		var want []Blob
		for _, name := range names {
			want = append(want, blob(name))
		}
		slices.SortFunc(want, func(a, b Blob) int { return strings.Compare(a.Digest.Hex(), b.Digest.Hex()) })
		if !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	check(sample().Input.Blobs(), "program", "stdin", "words", "tar")
	check(sample().Result.Blobs(), "stdout", "out", "outtar")
	check(small().Input.Blobs(), "program")
	check(small().Result.Blobs())
}
