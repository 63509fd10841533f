package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"carrel/machine/page"
	"carrel/program/seal"
)

func TestFileRoundTrip(t *testing.T) {
	for name, memory := range samples() {
		t.Run(name, func(t *testing.T) {
			i := imageOf(t, memory, []uint64{1, 1 << 63}, []byte("host"))
			file := encode(t, i)
			got, label, err := Read(iotest.HalfReader(bytes.NewReader(file)), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if *label != sampleLabel {
				t.Errorf("label %+v", label)
			}
			if !bytes.Equal(bytesOf(got), memory) || got.RootString() != i.RootString() {
				t.Error("another image came back")
			}
			frame, label, err := ReadFrame(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			header := Header{*label, frame.Root, frame.MemoryBytes, len(frame.Globals), len(frame.Host)}
			if want := (Header{sampleLabel, i.Root(), uint64(len(memory)), 2, 4}); header != want {
				t.Errorf("header %+v, want %+v", header, want)
			}
		})
	}
}

func TestFileOfLayers(t *testing.T) {
	before, after := small(t)
	got, _, err := Read(bytes.NewReader(encode(t, after)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Root() != after.Root() || got.Root() == before.Root() {
		t.Error("another image came back")
	}
}

func TestWriteRefuses(t *testing.T) {
	good := &Image{}
	odd := &Image{Memory: page.Empty().With(page.Size, nil)}
	with := func(change func(l *Label)) *Label { l := sampleLabel; change(&l); return &l }
	for want, c := range map[string]struct {
		image *Image
		label *Label
	}{
		"memory of 4096 bytes":   {odd, &sampleLabel},
		"524289 globals":         {&Image{Globals: make([]uint64, GlobalsMax+1)}, &sampleLabel},
		"host region of 1048577": {&Image{Host: make([]byte, HostBytesMax+1)}, &sampleLabel},
		"machine version is 0":   {good, with(func(l *Label) { l.MachineVersion = 0 })},
		"no program is named":    {good, with(func(l *Label) { l.Program = seal.Digest{} })},
		`guest is ""`:            {good, with(func(l *Label) { l.Guest = "" })},
		`guest is "xxx`:          {good, with(func(l *Label) { l.Guest = strings.Repeat("x", GuestBytesMax+1) })},
		`guest is "\xff"`:        {good, with(func(l *Label) { l.Guest = "\xff" })},
		"guest version is 0":     {good, with(func(l *Label) { l.GuestVersion = 0 })},
	} {
		if err := Write(io.Discard, c.image, c.label); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestWriteFails(t *testing.T) {
	_, after := small(t)
	size := len(encode(t, after))
	for n := range size {
		if err := Write(&short{n}, after, &sampleLabel); !errors.Is(err, io.ErrShortWrite) {
			t.Fatalf("room for %d bytes: error %v", n, err)
		}
	}
}

// short has room for so many bytes.
type short struct{ left int }

func (s *short) Write(p []byte) (int, error) {
	if s.left -= len(p); s.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

func TestReadCutFile(t *testing.T) {
	_, after := small(t)
	file := encode(t, after)
	for n := range file {
		_, _, err := Read(bytes.NewReader(file[:n]), Limits{})
		if err == nil {
			t.Fatalf("the first %d of %d bytes are an image", n, len(file))
		}
		if errors.Is(err, ErrNotImage) != (n < len(imageMagic)) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
		if _, _, err := Read(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(errDisk)), Limits{}); !errors.Is(err, errDisk) {
			t.Errorf("failure after %d bytes: %v", n, err)
		}
	}
	if _, _, err := Read(io.MultiReader(bytes.NewReader(file), iotest.ErrReader(errDisk)), Limits{}); !errors.Is(err, errDisk) {
		t.Errorf("failure at the end: %v", err)
	}
	if _, _, err := Read(bytes.NewReader(append(file, 0)), Limits{}); err == nil {
		t.Error("a byte too many is accepted")
	}
}

var errDisk = errors.New("disk failed")

func TestReadAlteredFile(t *testing.T) {
	_, after := small(t)
	file := encode(t, after)
	for at := range file {
		for bit := range 8 {
			altered := bytes.Clone(file)
			altered[at] ^= 1 << bit
			i, label, err := Read(bytes.NewReader(altered), Limits{})
			if err == nil && (i.Root() != after.Root() || *label != sampleLabel) {
				t.Fatalf("byte %d, bit %d: another image", at, bit)
			}
		}
	}
}

// fileOf is a file with this header, and these groups.
func fileOf(header []byte, groups ...[]byte) []byte {
	sum := seal.Sum(header)
	b := append(append(appendPreface(nil, imageMagic, len(header)), header...), sum[:]...)
	for _, g := range groups {
		b = append(b, g...)
	}
	return b
}

func headerOf(t *testing.T, change func(h *fileHeader)) []byte {
	h := fileHeader{1, sampleLabel.Program, "posix", 1, page.Hash{1}, rest{Memory: 4 * memoryUnit}}
	if change != nil {
		change(&h)
	}
	b, err := encodeHeader(&h)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func groupOf(number uint32, content []byte) []byte {
	p := packers.Get().(*packer)
	defer packers.Put(p)
	packed := p.encoder.EncodeAll(content, nil)
	return append(appendGroupHead(nil, number, uint32(len(packed))), packed...)
}

func TestReadRefuses(t *testing.T) {
	plain := headerOf(t, nil)
	content := bytes.Repeat([]byte{7}, groupBytes)
	over := append(bytes.Clone(plain), 0)
	twice := bytes.Clone(plain)
	twice[0]++ // one more field,
	twice = append(twice, "\x65guest\x65posix"...)
	unknown := bytes.Clone(plain)
	unknown[0]++
	unknown = append(unknown, "\x65other\x00"...)
	less := append([]byte{plain[0] - 1}, bytes.Replace(plain[1:], []byte("\x64host\x40"), nil, 1)...)
	long := bytes.Replace(plain, []byte("guestVersion\x01"), []byte("guestVersion\x18\x01"), 1)
	loose := append(append([]byte{0xbf}, plain[1:]...), 0xff)
	version2 := fileOf(plain)
	version2[len(imageMagic)] = 2
	memory := func(size uint64) []byte { return headerOf(t, func(h *fileHeader) { h.Memory = size }) }
	mark := appendGroupHead(nil, endMark, 0)
	for _, c := range []struct {
		want string
		file []byte
	}{
		{"not the file of an image", nil},
		{"not the file of an image", []byte("carrel-imagf and more than a preface")},
		{"it ends early", []byte("carrel-image")},
		{"version 2 of the format", version2},
		{"header of 5243905 bytes", appendPreface(nil, imageMagic, HeaderBytesMax+1)},
		{"it ends early", appendPreface(nil, imageMagic, HeaderBytesMax)},
		{"header is damaged", append(appendPreface(nil, imageMagic, len(plain)), append(plain, make([]byte, 32)...)...)},
		{"header: ", fileOf(nil)},
		{"extraneous", fileOf(over)},
		{"duplicate", fileOf(twice)},
		{"unknown field", fileOf(unknown)},
		{"not in canonical form", fileOf(less)},
		{"not in canonical form", fileOf(long)},
		{"indefinite", fileOf(loose)},
		{"memory of 65537 bytes", fileOf(memory(memoryUnit + 1))},
		{"memory of 2147549184 bytes, the limit", fileOf(memory(page.ReservationBytes + memoryUnit))},
		{"memory of 67174400 bytes, at most", fileOf(memory(64<<20 + memoryUnit))},
		{"globals of 7 bytes", fileOf(headerOf(t, func(h *fileHeader) { h.Globals = make([]byte, 7) }))},
		{"524289 globals", fileOf(headerOf(t, func(h *fileHeader) { h.Globals = make([]byte, 8*(GlobalsMax+1)) }))},
		{"host region of 1048577", fileOf(headerOf(t, func(h *fileHeader) { h.Host = make([]byte, HostBytesMax+1) }))},
		{"machine version is 0", fileOf(headerOf(t, func(h *fileHeader) { h.MachineVersion = 0 }))},
		{"group 4: memory has 4", fileOf(plain, groupOf(4, content))},
		{"group 0: memory has 0", fileOf(memory(0), groupOf(0, content))},
		{"group 1 after group 1", fileOf(plain, groupOf(1, content), groupOf(1, content))},
		{"group 0 after group 1", fileOf(plain, groupOf(1, content), groupOf(0, content))},
		{"group 2 holds nothing but zeros", fileOf(plain, groupOf(2, make([]byte, groupBytes)))},
		{"group 2: 65535 bytes", fileOf(plain, groupOf(2, content[1:]))},
		{"group 2: ", fileOf(plain, groupOf(2, append(content, 1)))},
		{"group 2: ", fileOf(plain, groupOf(2, make([]byte, 1<<24)))},
		{"group 2: ", fileOf(plain, appendGroupHead(nil, 2, 4), []byte("zstd"))},
		{"group 2: 0 bytes", fileOf(plain, appendGroupHead(nil, 2, 0))},
		{"group 2 has 73729 compressed", fileOf(plain, appendGroupHead(nil, 2, packedBytesMax+1))},
		{"group 2: it ends early", fileOf(plain, appendGroupHead(nil, 2, packedBytesMax))},
		{"end mark with a length", fileOf(plain, appendGroupHead(nil, endMark, 1))},
		{"something follows", fileOf(plain, mark, mark)},
		{"image is not what its root says", fileOf(plain, groupOf(2, content), mark)},
		{"image is not what its root says", fileOf(memory(0), mark)},
	} {
		_, _, err := Read(bytes.NewReader(c.file), Limits{MemoryBytes: 64 << 20})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read image: ") {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// TestLengthsAreNotTrusted reads what says that it is large, and is not.
func TestLengthsAreNotTrusted(t *testing.T) {
	huge := headerOf(t, func(h *fileHeader) { h.Memory = page.ReservationBytes })
	globals := bytes.Replace(headerOf(t, nil), []byte("globals\x40"), []byte("globals\x5a\x00\x40\x00\x00"), 1)
	for name, data := range map[string][]byte{
		"header":       appendPreface(nil, imageMagic, HeaderBytesMax),
		"globals":      fileOf(globals),
		"memory":       fileOf(huge),
		"group":        fileOf(huge, appendGroupHead(nil, 32767, packedBytesMax)),
		"delta header": appendPreface(nil, deltaMagic, HeaderBytesMax),
		"delta group":  append(deltaOf(t, func(h *deltaHeader) { h.Pages = 1 }), 0, 0xff, 0xff, 0xff, 0x7f),
		"delta pages":  deltaOf(t, func(h *deltaHeader) { h.Memory, h.Pages = page.ReservationBytes, page.ReservationBytes/page.Size }),
	} {
		read := func() error {
			_, _, err := Read(bytes.NewReader(data), Limits{})
			if errors.Is(err, ErrNotImage) {
				_, err = ReadDelta(data, Limits{})
			}
			return err
		}
		if read() == nil {
			t.Errorf("%s: it was read", name)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_ = read()
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
}

func golden(t *testing.T, name string, data func() []byte) []byte {
	t.Helper()
	path := filepath.Join("testdata", "compat", "v1", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	goldenBefore = "sha256:19ba3f039107665c7b899b0499d55accbcf0f26d24788b1e35752a680e1fff32"
	goldenAfter  = "sha256:4fbe6d284fb00abdcfffb05ae0dc27c2b1e9a70f0d611b685add7ef9d5b0c2d8"
)

func TestGolden(t *testing.T) {
	before, after := small(t)
	file := golden(t, "sample.image", func() []byte { return encode(t, before) })
	delta := golden(t, "sample.delta", func() []byte { return deltaBytes(t, before, after) })
	i, label, err := Read(bytes.NewReader(file), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if *label != sampleLabel {
		t.Errorf("label %+v", label)
	}
	if got := i.RootString(); got != goldenBefore {
		t.Errorf("root %s, want %s", got, goldenBefore)
	}
	d, err := ReadDelta(delta, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	next, err := d.Apply(i)
	if err != nil {
		t.Fatal(err)
	}
	if got := next.RootString(); got != goldenAfter {
		t.Errorf("root after the delta %s, want %s", got, goldenAfter)
	}
}

func FuzzImage(f *testing.F) {
	before, after := small(f)
	f.Add(encode(f, before))
	f.Add(encode(f, after))
	f.Add(encode(f, &Image{}))
	f.Add([]byte(imageMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = mend(data)
		i, label, err := Read(bytes.NewReader(data), Limits{MemoryBytes: 16 << 20})
		if err != nil {
			return
		}
		var b bytes.Buffer
		if err := Write(&b, i, label); err != nil {
			t.Fatal(err)
		}
		again, same, err := Read(&b, Limits{})
		if err != nil || again.Root() != i.Root() || *same != *label {
			t.Fatalf("written again it is another: %v", err)
		}
	})
}

// mend corrects the hash of a header, so that a fuzzer gets beyond it.
func mend(data []byte) []byte {
	if len(data) < prefaceBytes {
		return data
	}
	length := uint64(binary.LittleEndian.Uint32(data[prefaceBytes-4:]))
	if uint64(len(data)) < prefaceBytes+length+seal.DigestBytes {
		return data
	}
	data = bytes.Clone(data)
	sum := seal.Sum(data[prefaceBytes : prefaceBytes+length])
	copy(data[prefaceBytes+length:], sum[:])
	return data
}
