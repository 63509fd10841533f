package image

import (
	"bytes"
	"testing"
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
