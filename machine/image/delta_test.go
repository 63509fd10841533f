package image

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/klauspost/compress/s2"

	"carrel/machine/page"
)

func deltaBytes(t testing.TB, before, after *Image) []byte {
	t.Helper()
	d, err := Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	return d.Append(nil)
}

func TestDeltaBetweenSamples(t *testing.T) {
	all := samples()
	for from, was := range all {
		for to, is := range all {
			before, after := imageOf(t, was, []uint64{1}, nil), imageOf(t, is, nil, []byte("host"))
			d, err := ReadDelta(deltaBytes(t, before, after), Limits{})
			if err != nil {
				t.Fatalf("%s to %s: %v", from, to, err)
			}
			if d.Before() != before.Root() || d.After() != after.Root() {
				t.Errorf("%s to %s: roots %x %x", from, to, d.Before(), d.After())
			}
			got, err := d.Apply(before)
			if err != nil {
				t.Fatalf("%s to %s: %v", from, to, err)
			}
			if !bytes.Equal(bytesOf(got), is) || len(got.Globals) != 0 || string(got.Host) != "host" {
				t.Errorf("%s to %s: another image", from, to)
			}
		}
	}
}

// TestDeltaChain changes an image many times, and follows it by deltas alone.
func TestDeltaChain(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	shadow := make([]byte, 20*memoryUnit)
	now := imageOf(t, shadow, nil, nil)
	follower := imageOf(t, shadow, nil, nil)
	for step := range 300 {
		units := max(0, min(40, len(shadow)/memoryUnit+[]int{0, 0, 0, 1, 3, -1, -5}[random.IntN(7)]))
		if random.IntN(60) == 0 {
			units = 0
		}
		shadow = append(shadow, make([]byte, max(0, units*memoryUnit-len(shadow)))...)[:units*memoryUnit]
		var changes []page.Change
		if units > 0 {
			var touched []int
			for range random.IntN(50) {
				n := random.IntN(len(shadow) / page.Size)
				shadow[n*page.Size+random.IntN(page.Size)] = byte(random.IntN(2))
				touched = append(touched, n)
			}
			slices.Sort(touched)
			for _, n := range slices.Compact(touched) {
				changes = append(changes, page.Change{Page: n, Content: (*[page.Size]byte)(shadow[n*page.Size:])})
			}
		}
		shadow = slices.Clone(shadow) // what was cut off must not come back
		next := &Image{Memory: now.memory().With(uint64(len(shadow)), changes), Globals: []uint64{uint64(step)}}
		d, err := ReadDelta(deltaBytes(t, now, next), Limits{})
		if err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if d.Pages() > len(changes) {
			t.Errorf("step %d: %d pages differ, %d were changed", step, d.Pages(), len(changes))
		}
		if follower, err = d.Apply(follower); err != nil {
			t.Fatalf("step %d: %v", step, err)
		}
		if !bytes.Equal(bytesOf(follower), shadow) || follower.Globals[0] != uint64(step) {
			t.Fatalf("step %d: another image", step)
		}
		now = next
	}
}

// TestTogether does everything at once with the same images, for the race
// detector and for buffers that are shared.
func TestTogether(t *testing.T) {
	before, after := small(t)
	file, delta := encode(t, before), deltaBytes(t, before, after)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				i, _, err := Read(bytes.NewReader(file), Limits{})
				if err != nil {
					t.Error(err)
					return
				}
				d, err := ReadDelta(delta, Limits{})
				if err != nil {
					t.Error(err)
					return
				}
				for _, base := range []*Image{before, i} {
					if _, err := d.Apply(base); err != nil {
						t.Error(err)
					}
				}
				if !bytes.Equal(deltaBytes(t, before, after), delta) || !bytes.Equal(encode(t, i), file) {
					t.Error("other bytes than alone")
				}
			}
		})
	}
	all.Wait()
}

func TestDeltaOfNothing(t *testing.T) {
	before, _ := small(t)
	d, err := Diff(before, before)
	if err != nil {
		t.Fatal(err)
	}
	if d.Pages() != 0 {
		t.Errorf("%d pages differ", d.Pages())
	}
	if next, err := d.Apply(before); err != nil || next.Root() != before.Root() {
		t.Errorf("root %v, error %v", next, err)
	}
}

func TestDeltaWrongBase(t *testing.T) {
	before, after := small(t)
	d, err := Diff(before, after)
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Apply(after)
	if !errors.Is(err, ErrWrongBase) || !strings.Contains(err.Error(), before.RootString()) || !strings.Contains(err.Error(), after.RootString()) {
		t.Errorf("error %v", err)
	}
}

func TestDiffRefuses(t *testing.T) {
	for want, after := range map[string]*Image{
		"memory of 4096 bytes":   {Memory: page.Empty().With(page.Size, nil)},
		"524289 globals":         {Globals: make([]uint64, GlobalsMax+1)},
		"host region of 1048577": {Host: make([]byte, HostBytesMax+1)},
	} {
		if _, err := Diff(&Image{}, after); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func TestReadCutDelta(t *testing.T) {
	data := deltaBytes(t, first(small(t)), second(small(t)))
	for n := range data {
		_, err := ReadDelta(data[:n], Limits{})
		if err == nil {
			t.Fatalf("the first %d of %d bytes are a delta", n, len(data))
		}
		if errors.Is(err, ErrNotDelta) != (n < len(deltaMagic)) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	if _, err := ReadDelta(append(data, 0), Limits{}); err == nil {
		t.Error("a byte too many is accepted")
	}
}

func first(before, _ *Image) *Image { return before }
func second(_, after *Image) *Image { return after }

func TestReadAlteredDelta(t *testing.T) {
	before, after := small(t)
	data := deltaBytes(t, before, after)
	for at := range data {
		for bit := range 8 {
			altered := bytes.Clone(data)
			altered[at] ^= 1 << bit
			d, err := ReadDelta(altered, Limits{})
			if err != nil {
				continue
			}
			if next, err := d.Apply(before); err == nil && next.Root() != after.Root() {
				t.Fatalf("byte %d, bit %d: another image", at, bit)
			}
		}
	}
}

// deltaOf is a delta with this header, and no pages.
func deltaOf(t *testing.T, change func(h *deltaHeader)) []byte {
	h := deltaHeader{Before: (&Image{}).Root(), After: page.Hash{1}, rest: rest{Memory: 2 * memoryUnit}}
	if change != nil {
		change(&h)
	}
	return (&Delta{header: h}).Append(nil)
}

// pagesOf is a group: the gaps as they are, and the content compressed.
func pagesOf(gaps string, content []byte) []byte {
	packed := s2.Encode(nil, content)
	return append(binary.AppendUvarint([]byte(gaps), uint64(len(packed))), packed...)
}

func TestReadDeltaRefuses(t *testing.T) {
	plain := deltaOf(t, nil)
	with := func(pages int, groups ...[]byte) []byte {
		return append(deltaOf(t, func(h *deltaHeader) { h.Pages = pages }), bytes.Join(groups, nil)...)
	}
	content := bytes.Repeat([]byte{7}, 17*page.Size)
	one, zero := content[:page.Size], make([]byte, page.Size)
	version2 := bytes.Clone(plain)
	version2[len(deltaMagic)] = 2
	for _, c := range []struct {
		want string
		data []byte
	}{
		{"not a delta", nil},
		{"not a delta", []byte("carrel-image and more than a preface")},
		{"it ends early", []byte("carrel-delta")},
		{"version 2 of the format", version2},
		{"header of 5243905 bytes", appendPreface(nil, deltaMagic, HeaderBytesMax+1)},
		{"it ends early", appendPreface(nil, deltaMagic, HeaderBytesMax)},
		{"not in canonical form", bytes.Replace(plain, []byte("pages\x00"), []byte("pages\xf6"), 1)},
		{"33 pages differ, memory has 32", with(33)},
		{"-1 pages differ", with(-1)},
		{"memory of 65537 bytes", deltaOf(t, func(h *deltaHeader) { h.Memory = memoryUnit + 1 })},
		{"memory of 2147549184 bytes, the limit", deltaOf(t, func(h *deltaHeader) { h.Memory = page.ReservationBytes + memoryUnit })},
		{"memory of 67174400 bytes, at most", deltaOf(t, func(h *deltaHeader) { h.Memory = 64<<20 + memoryUnit })},
		{"globals of 7 bytes", deltaOf(t, func(h *deltaHeader) { h.Globals = make([]byte, 7) })},
		{"host region of 1048577", deltaOf(t, func(h *deltaHeader) { h.Host = make([]byte, HostBytesMax+1) })},
		{"it ends early", with(1)},
		{"it ends early", with(2, []byte{0})},
		{"it ends early", with(1, []byte{0x80})},
		{"it ends early", with(1, []byte{0})},
		{"it ends early", with(1, []byte{0, 200, 1})},
		{"shortest form", with(1, pagesOf("\x80\x00", one))},
		{"shortest form", with(1, pagesOf("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", one))},
		{"memory has 32 pages", with(1, pagesOf("\x20", one))},
		{"memory has 32 pages", with(1, pagesOf("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", one))},
		{"memory has 32 pages", with(2, pagesOf("\x1e\x01", content[:2*page.Size]))},
		{"after page 31: page number beyond", with(17, pagesOf(strings.Repeat("\x01", 16), content[:groupBytes]), pagesOf("\x00", one))},
		{"page 1 does not differ", with(2, pagesOf("\x00\x00", append(bytes.Clone(one), zero...)))},
		{"4096 bytes of content for 2 pages", with(2, pagesOf("\x00\x00", one))},
		{"69632 bytes of content for 16 pages", with(17, pagesOf(strings.Repeat("\x00", 16), content))},
		{"corrupt", with(1, []byte{0, 0})},
		{"corrupt", with(1, []byte{0, 3, 0x80, 0x20, 0})},
		{"follow the last page", with(0, pagesOf("\x00", one))},
		{"follow the last page", with(1, pagesOf("\x00", one), []byte{0})},
	} {
		_, err := ReadDelta(c.data, Limits{MemoryBytes: 64 << 20})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read delta: ") {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestApplyChecksTheRoot(t *testing.T) {
	d, err := ReadDelta(deltaOf(t, nil), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Apply(&Image{}); err == nil || !strings.Contains(err.Error(), "image is not what its root says") {
		t.Errorf("error %v", err)
	}
}

func FuzzDelta(f *testing.F) {
	before, after := small(f)
	f.Add(deltaBytes(f, before, after))
	f.Add(deltaBytes(f, before, before))
	f.Add(deltaBytes(f, before, &Image{}))
	f.Add([]byte(deltaMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := ReadDelta(data, Limits{MemoryBytes: 16 << 20})
		if err != nil {
			return
		}
		if again, err := ReadDelta(d.Append(nil), Limits{}); err != nil || again.header.After != d.header.After {
			t.Fatalf("written again it is another: %v", err)
		}
		// Apply it to what it was not made for: it may only fail.
		d.header.Before = before.Root()
		if next, err := d.Apply(before); err == nil && next.Root() != d.After() {
			t.Fatal("another root than was said")
		}
	})
}
