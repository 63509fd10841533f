package bundle

import (
	"archive/tar"
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"carrel/program/seal"
	"carrel/receipt"
)

var update = flag.Bool("update", false, "write golden files")

// memory is a source of blobs.
type memory map[seal.Digest][]byte

func (m memory) Blob(digest seal.Digest) (io.ReadCloser, error) {
	data, ok := m[digest]
	if !ok {
		return nil, receipt.ErrNoBlob
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

func (m memory) add(data string) receipt.Blob {
	blob := receipt.NewBlob([]byte(data))
	m[blob.Digest] = []byte(data)
	return blob
}

// testKey is a key pair from a seed of 32 equal bytes.
func testKey(n byte) seal.PrivateKey {
	return seal.NewPrivateKey([seal.SeedBytes]byte(bytes.Repeat([]byte{n}, seal.SeedBytes)))
}

// sample is a receipt with three blobs of input, one of them a whole block
// long, and one of output.
func sample(t testing.TB) (*seal.Envelope, memory) {
	source := memory{}
	r := &receipt.Receipt{
		Input: receipt.Input{
			MachineVersion: 1,
			Program:        source.add("\x00asm\x01\x00\x00\x00"),
			Guest:          receipt.Guest{Name: "posix", Version: 1},
			Clock:          receipt.ClockTick,
			Limits:         receipt.Limits{Fuel: 1000, MemoryPages: 16},
			Stdin:          receipt.Stdin{Blob: source.add(strings.Repeat("block of", 64))},
			Mounts: []receipt.Mount{{Guest: "/data", Kind: receipt.MountDir, Mode: receipt.ModeRO, Observed: []receipt.Observation{
				{Path: "a", Kind: receipt.KindFile, Size: 5, Digest: source.add("alpha").Digest},
			}}},
		},
		Result: receipt.Result{Class: "exit", Fuel: 999, Stdout: source.add("output"), Stderr: receipt.NewBlob(nil)},
	}
	envelope, err := receipt.Sign(r, testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	return envelope, source
}

func bundled(t testing.TB, envelope *seal.Envelope, source memory, outputs bool) []byte {
	r, err := receipt.FromEnvelope(envelope)
	if err != nil {
		t.Fatal(err)
	}
	blobs := receipt.Needs(r)
	if outputs {
		blobs = receipt.Blobs(r)
	}
	var file bytes.Buffer
	if err := Write(&file, envelope, blobs, source); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func openBytes(file []byte) (*Bundle, error) { return Open(bytes.NewReader(file), int64(len(file))) }

// TestCompat holds the bundle of version 1. It is never changed.
func TestCompat(t *testing.T) {
	const name = "testdata/compat/v1/sample.bundle"
	envelope, source := sample(t)
	got := bundled(t, envelope, source, true)
	if *update {
		if err := os.WriteFile(name, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("a bundle is not what it was: %v", err)
	}
}

func TestRoundTrip(t *testing.T) {
	envelope, source := sample(t)
	for _, outputs := range []bool{false, true} {
		file := bundled(t, envelope, source, outputs)
		bundle, err := openBytes(file)
		if err != nil {
			t.Fatal(err)
		}
		want := receipt.Needs(bundle.Statement)
		if outputs {
			want = receipt.Blobs(bundle.Statement)
		}
		if len(bundle.Blobs()) != len(want) {
			t.Errorf("got %d blobs, want %d", len(bundle.Blobs()), len(want))
		}
		for _, blob := range want {
			data, err := receipt.ReadBlob(bundle, blob, 1<<10)
			if err != nil || !bytes.Equal(data, source[blob.Digest]) {
				t.Errorf("blob %s: got %q, %v", blob, data, err)
			}
		}
		if _, err := bundle.Blob(seal.Sum([]byte("other"))); !errors.Is(err, receipt.ErrNoBlob) {
			t.Errorf("got %v", err)
		}
		var again bytes.Buffer
		shuffled := append(slices.Clone(bundle.Blobs()), bundle.Blobs()...)
		slices.Reverse(shuffled)
		if err := Write(&again, bundle.Envelope, shuffled, bundle); err != nil || !bytes.Equal(again.Bytes(), file) {
			t.Errorf("written again: other bytes, %v", err)
		}
	}
}

// TestForeignReader reads a bundle with the tar reader of the standard library.
func TestForeignReader(t *testing.T) {
	envelope, source := sample(t)
	reader := tar.NewReader(bytes.NewReader(bundled(t, envelope, source, true)))
	var names []string
	for {
		head, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if head.Typeflag != tar.TypeReg || head.Format != tar.FormatUSTAR || head.Mode != 0o444 || head.ModTime.Unix() != 0 {
			t.Errorf("got %+v", head)
		}
		if digits, ok := strings.CutPrefix(head.Name, blobPrefix); ok && seal.Sum(data).Hex() != digits {
			t.Errorf("%s holds %q", head.Name, data)
		}
		names = append(names, head.Name)
	}
	if len(names) != 6 || names[0] != magicName || names[1] != receiptName || !slices.IsSorted(names[2:]) {
		t.Errorf("got %q", names)
	}
}

func TestWriteRefuses(t *testing.T) {
	envelope, source := sample(t)
	r, err := receipt.FromEnvelope(envelope)
	if err != nil {
		t.Fatal(err)
	}
	program := r.Turns()[0].Input.Program
	lying := memory{program.Digest: []byte("not asm!")}
	longer := program
	longer.Size++
	for _, c := range []struct {
		name   string
		blobs  []receipt.Blob
		source receipt.BlobSource
		wrong  string
	}{
		{"a blob nobody named", []receipt.Blob{receipt.NewBlob([]byte("x"))}, source, "is not named by the receipt"},
		{"a size that lies", []receipt.Blob{longer}, source, "has 9 bytes, the receipt says 8"},
		{"a blob that is missing", []receipt.Blob{program}, memory{}, "no such blob"},
		{"a blob that lies", []receipt.Blob{program}, lying, "the bytes are sha256:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := Write(io.Discard, envelope, c.blobs, c.source); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want an error with %q", err, c.wrong)
			}
		})
	}
}

// An entry of a bundle that a test takes apart.
type entry struct {
	name string
	data []byte
}

func takeApart(t testing.TB, file []byte) []entry {
	var entries []entry
	c := &cursor{file: bytes.NewReader(file), size: int64(len(file))}
	for {
		name, at, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if name == "" {
			return entries
		}
		entries = append(entries, entry{name, file[at.offset : at.offset+at.size]})
	}
}

func putTogether(entries []entry) []byte {
	var file bytes.Buffer
	for _, e := range entries {
		writeEntry(&file, e.name, e.data)
	}
	file.Write(make([]byte, 2*blockBytes))
	return file.Bytes()
}

func TestOpenRefuses(t *testing.T) {
	envelope, source := sample(t)
	good := bundled(t, envelope, source, true)
	if _, err := openBytes(putTogether(takeApart(t, good))); err != nil {
		t.Fatal(err)
	}
	stranger := []byte("a stranger")
	for _, c := range []struct {
		name   string
		change func(e []entry) []entry
		wrong  string
	}{
		{"a blob that lies", func(e []entry) []entry { e[2].data = bytes.Repeat([]byte("x"), len(e[2].data)); return e }, "the bytes are sha256:"},
		{"a blob of another size", func(e []entry) []entry { e[2].data = append(slices.Clone(e[2].data), 'x'); return e }, "the receipt says"},
		{"a blob twice", func(e []entry) []entry { return slices.Insert(e, 2, e[2]) }, "out of order or there twice"},
		{"blobs out of order", func(e []entry) []entry { e[2], e[3] = e[3], e[2]; return e }, "out of order"},
		{"a blob nobody named", func(e []entry) []entry {
			return append(e[:2], entry{blobPrefix + seal.Sum(stranger).Hex(), stranger})
		}, "is not named by the receipt"},
		{"an unexpected name", func(e []entry) []entry { return append(e, entry{"zzz", nil}) }, `unexpected entry "zzz"`},
		{"a way out", func(e []entry) []entry { return append(e, entry{"blobs/sha256/../../etc/passwd", nil}) }, "hexadecimal digits"},
		{"upper-case digits", func(e []entry) []entry {
			e[5].name = blobPrefix + strings.ToUpper(e[5].name[len(blobPrefix):])
			return e
		}, "upper-case"},
		{"the receipt twice", func(e []entry) []entry { return slices.Insert(e, 2, e[1]) }, `unexpected entry "receipt.json"`},
		{"no receipt", func(e []entry) []entry { return slices.Delete(e, 1, 2) }, `want "receipt.json"`},
		{"a receipt that is none", func(e []entry) []entry { e[1].data = []byte("{}"); return e }, "open receipt"},
		{"magic with content", func(e []entry) []entry { e[0].data = []byte("x"); return e }, "want an empty"},
		{"another version", func(e []entry) []entry { e[0].name = "carrel-bundle-v2"; return e }, "not a bundle"},
		{"magic and more", func(e []entry) []entry { e[0].name += "1"; return e }, "want an empty"},
		{"no name", func(e []entry) []entry { return append(e, entry{"", nil}) }, "is empty or too long"},
		{"a long name", func(e []entry) []entry { return append(e, entry{strings.Repeat("x", 100), nil}) }, "is empty or too long"},
		{"only the magic", func(e []entry) []entry { return e[:1] }, `want "receipt.json"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openBytes(putTogether(c.change(takeApart(t, good))))
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("got %v, want an error with %q", err, c.wrong)
			}
		})
	}
	for name, file := range map[string][]byte{
		"nothing":             nil,
		"a receipt":           []byte(`{"payload":"","payloadType":"","signatures":[]}`),
		"only the magic text": []byte(magicName),
		"something after":     append(slices.Clone(good), 0),
		"blocks after":        append(slices.Clone(good), make([]byte, 512)...),
		"one zero block":      good[:len(good)-512],
	} {
		if _, err := openBytes(file); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// TestOpenRefusesForeignHeaders opens tars with headers that other programs
// write, some of them to fool extractors.
func TestOpenRefusesForeignHeaders(t *testing.T) {
	envelope, _ := sample(t)
	text, err := envelope.Encode()
	if err != nil {
		t.Fatal(err)
	}
	plain := func(name string) tar.Header { return tar.Header{Name: name, Mode: 0o444, Format: tar.FormatUSTAR} }
	link := plain("blobs/sha256/" + seal.Sum([]byte("alpha")).Hex())
	link.Typeflag, link.Linkname = tar.TypeSymlink, "/etc/passwd"
	hard := link
	hard.Typeflag, hard.Linkname = tar.TypeLink, receiptName
	dir := plain("blobs/")
	dir.Typeflag = tar.TypeDir
	pax := plain("blobs/sha256/x")
	pax.Format, pax.PAXRecords = tar.FormatPAX, map[string]string{"CARREL.x": "y"}
	executable := plain(link.Name)
	executable.Mode = 0o755
	for name, head := range map[string]tar.Header{"symlink": link, "hard link": hard, "directory": dir, "pax": pax, "mode": executable} {
		var file bytes.Buffer
		writeEntry(&file, magicName, nil)
		writeEntry(&file, receiptName, text)
		w := tar.NewWriter(&file)
		if err := w.WriteHeader(&head); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := openBytes(file.Bytes()); err == nil || !strings.Contains(err.Error(), "not a header as bundles have it") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestTruncated(t *testing.T) {
	envelope, source := sample(t)
	good := bundled(t, envelope, source, true)
	for size := range good {
		if size%blockBytes > 1 && size%13 != 0 { // block ends, and some between
			continue
		}
		if _, err := openBytes(good[:size]); err == nil {
			t.Fatalf("the first %d of %d bytes are a bundle", size, len(good))
		}
	}
	// A file that is shorter than it was said to be.
	if _, err := Open(bytes.NewReader(good[:len(good)-1]), int64(len(good))); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v", err)
	}
}

// TestAnyByte changes one bit in many bytes: either the file is refused, or no signature
// fits, or payload and blobs are what they were.
func TestAnyByte(t *testing.T) {
	envelope, source := sample(t)
	good := bundled(t, envelope, source, true)
	for n := 0; n < len(good); n += 1 + n%5 {
		bad := slices.Clone(good)
		bad[n] ^= 1 << (n % 8)
		bundle, err := openBytes(bad)
		if err != nil {
			continue
		}
		check, err := bundle.Envelope.Check(seal.Receipt, []seal.PublicKey{testKey(1).Public()})
		if err != nil || len(check.Good) == 0 {
			continue
		}
		if !bytes.Equal(bundle.Envelope.Payload, envelope.Payload) || len(bundle.Blobs()) != 4 {
			t.Fatalf("bit %d of byte %d: another bundle", n%8, n)
		}
	}
}

func TestSniff(t *testing.T) {
	envelope, source := sample(t)
	if !Sniff(bundled(t, envelope, source, false)[:16]) || Sniff([]byte("carrel-bundle-v")) || Sniff([]byte(`{"payload":"aaaaaaaaaaaaaa`)) {
		t.Error("bundles are not told from other files")
	}
	if _, err := openBytes([]byte("{}")); !errors.Is(err, ErrNotBundle) {
		t.Errorf("got %v", err)
	}
}

// A huge source gives one blob of any size without holding it.
type huge struct {
	name receipt.Blob
	memory
}

func (h huge) Blob(digest seal.Digest) (io.ReadCloser, error) {
	if digest == h.name.Digest {
		return io.NopCloser(io.LimitReader(zeros{}, int64(h.name.Size))), nil
	}
	return h.memory.Blob(digest)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestLargeBlob writes and opens a bundle with a blob of 100 MB, in little
// memory.
func TestLargeBlob(t *testing.T) {
	const size = 100 << 20
	hasher := seal.NewHasher()
	io.CopyN(hasher, zeros{}, size)
	source := huge{receipt.Blob{Digest: hasher.Digest(), Size: size}, memory{}}
	envelope, err := receipt.Sign(&receipt.Receipt{
		Input: receipt.Input{
			MachineVersion: 1, Program: source.name, Guest: receipt.Guest{Name: "posix", Version: 1},
			Clock: receipt.ClockTick, Stdin: receipt.Stdin{Blob: receipt.NewBlob(nil)},
		},
		Result: receipt.Result{Class: "refused", Stdout: receipt.NewBlob(nil), Stderr: receipt.NewBlob(nil)},
	}, testKey(1))
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(t.TempDir() + "/large.bundle")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	bytesBefore := allocated(t)
	if err := Write(file, envelope, []receipt.Blob{source.name}, source); err != nil {
		t.Fatal(err)
	}
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file, info.Size()); err != nil {
		t.Fatal(err)
	}
	if used := allocated(t) - bytesBefore; used > 8<<20 {
		t.Errorf("%d MiB allocated for a blob of 100 MiB", used>>20)
	}
}

func FuzzBundle(f *testing.F) {
	envelope, source := sample(f)
	f.Add(bundled(f, envelope, source, true))
	f.Add(bundled(f, envelope, source, false))
	f.Add(putTogether([]entry{{magicName, nil}}))
	f.Fuzz(func(t *testing.T, file []byte) {
		bundle, err := openBytes(file)
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := Write(&again, bundle.Envelope, bundle.Blobs(), bundle); err != nil {
			t.Fatal(err)
		}
		same, err := openBytes(again.Bytes())
		if err != nil || !slices.Equal(same.Blobs(), bundle.Blobs()) {
			t.Fatalf("written again: %v", err)
		}
	})
}
