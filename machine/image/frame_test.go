package image

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

func TestFrame(t *testing.T) {
	before, after := small(t)
	delta, err := Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	want := &Frame{after.Root(), after.Memory.Bytes(), after.Globals, after.Host}
	file, bare := encode(t, after), delta.Append(nil)
	frame, label, err := ReadFrame(bytes.NewReader(file))
	if err != nil || !reflect.DeepEqual(frame, want) || *label != sampleLabel {
		t.Errorf("of a file: %+v %+v %v", frame, label, err)
	}
	frame, base, err := ReadDeltaFrame(bytes.NewReader(bare))
	if err != nil || !reflect.DeepEqual(frame, want) || base != before.Root() {
		t.Errorf("of a delta: %+v %x %v", frame, base, err)
	}
	if _, _, err := ReadFrame(bytes.NewReader(bare)); !errors.Is(err, ErrNotImage) {
		t.Errorf("a delta as a file: %v", err)
	}
	if _, _, err := ReadDeltaFrame(bytes.NewReader(file)); !errors.Is(err, ErrNotDelta) {
		t.Errorf("a file as a delta: %v", err)
	}
	if err := frame.With(after.Memory).Verify(); err != nil {
		t.Error(err)
	}
	if err := frame.With(before.Memory).Verify(); !errors.Is(err, ErrRoot) {
		t.Errorf("another memory: %v", err)
	}
}

func TestDeltaFrameOfCutDelta(t *testing.T) {
	before, after := small(t)
	delta, err := Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	bare := delta.Append(nil)
	start := len(bare) - len(delta.body)
	for n := range start {
		if _, _, err := ReadDeltaFrame(bytes.NewReader(bare[:n])); err == nil {
			t.Fatalf("the first %d of %d bytes are a header", n, start)
		}
	}
}
