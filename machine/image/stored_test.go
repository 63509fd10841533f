package image

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// TestStore has what is written without compression read as any other, and its
// bytes the same whatever led to the image.
func TestStore(t *testing.T) {
	for name, memory := range samples() {
		t.Run(name, func(t *testing.T) {
			i := imageOf(t, memory, []uint64{1, 1 << 63}, []byte("host"))
			var file, again bytes.Buffer
			if err := Store(&file, i, &sampleLabel); err != nil {
				t.Fatal(err)
			}
			got, label, err := Read(bytes.NewReader(file.Bytes()), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if *label != sampleLabel || !bytes.Equal(bytesOf(got), memory) || got.RootString() != i.RootString() {
				t.Errorf("another image came back, with %+v", label)
			}
			if err := Store(&again, got, &sampleLabel); err != nil || !bytes.Equal(again.Bytes(), file.Bytes()) {
				t.Errorf("it is stored as other bytes: %v", err)
			}
		})
	}
}

// TestReadOpen reads from a stream that does not end.
func TestReadOpen(t *testing.T) {
	for name, memory := range samples() {
		i := imageOf(t, memory, nil, nil)
		file := encode(t, i)
		more := errors.New("more is wanted")
		got, _, err := ReadOpen(io.MultiReader(bytes.NewReader(file), iotest.ErrReader(more)), Limits{})
		if err != nil || got.Root() != i.Root() {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := ReadOpen(io.MultiReader(bytes.NewReader([]byte("car")), bytes.NewReader([]byte("x")), iotest.ErrReader(more)), Limits{}); !errors.Is(err, ErrNotImage) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := ReadOpen(bytes.NewReader(file[:len(file)-1]), Limits{}); !errors.Is(err, errEarly) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
