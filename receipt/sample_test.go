package receipt

import (
	"bytes"
	"flag"
	"testing"

	"carrel/program/seal"
)

var update = flag.Bool("update", false, "write golden files")

// The contents that the sample receipt names.
var contents = map[string][]byte{
	"program": []byte("\x00asm\x01\x00\x00\x00"),
	"stdin":   []byte("two lines\nof input\n"),
	"words":   []byte("alpha\nbeta\n"),
	"tar":     []byte("not really a tar"),
	"stdout":  []byte("2 words\n"),
	"out":     []byte("beta\nalpha\n"),
	"outtar":  []byte("not really a tar either"),
}

func blob(name string) Blob { return NewBlob(contents[name]) }

func blobAt(name string) *Blob {
	b := blob(name)
	return &b
}

// testKey is a key pair from a seed of 32 equal bytes.
func testKey(n byte) seal.PrivateKey {
	return seal.NewPrivateKey([seal.SeedBytes]byte(bytes.Repeat([]byte{n}, seal.SeedBytes)))
}

// sample is a receipt in which every field says something.
func sample() *Receipt {
	return &Receipt{
		Input: Input{
			MachineVersion: 1,
			Program:        blob("program"),
			Guest:          Guest{Name: "posix", Version: 1},
			Args:           []string{"sort", "-r", "<&>\u2028", ""},
			Env:            []string{"LANG=C", "EMPTY="},
			Cwd:            "/data",
			TimeNS:         1<<63 + 1,
			Clock:          ClockTick,
			Seed:           "00ff",
			Limits:         Limits{Fuel: 1 << 62, MemoryPages: 1024},
			Stdin:          Stdin{Blob: blob("stdin"), End: true, Lines: true},
			Mounts: []Mount{
				{Guest: "/data", Kind: MountDir, Mode: ModeRW, Observed: []Observation{
					{Path: ".", Kind: KindDir, Listed: true, Entries: []Entry{
						{"dev", KindOther}, {"empty", KindFile}, {"link", KindLink}, {"sub", KindDir}, {"words", KindFile},
					}},
					{Path: "dev", Kind: KindOther},
					{Path: "empty", Kind: KindFile, Digest: NewBlob(nil).Digest},
					{Path: "link", Kind: KindLink, Target: "words"},
					{Path: "nothing", Kind: KindAbsent},
					{Path: "sub", Kind: KindDir},
					{Path: "unread", Kind: KindFile, Size: 77},
					{Path: "words", Kind: KindFile, Size: blob("words").Size, Digest: blob("words").Digest},
				}},
				{Guest: "/tar", Kind: MountTar, Mode: ModeRW, Content: blobAt("tar")},
				{Guest: "/new", Kind: MountTar, Mode: ModeWO},
				{Guest: "one.txt", Kind: MountFile, Mode: ModeRO, Content: blobAt("words")},
				{Guest: "two.txt", Kind: MountFile, Mode: ModeRW, Observed: []Observation{{Path: ".", Kind: KindFile, Size: 3}}},
				{Guest: "/tmp", Kind: MountTemp, Mode: ModeRW},
			},
			ImageBefore: seal.Sum([]byte("image before")),
			ImageFile:   blobAt("tar"),
			Call:        &Call{Export: "add", Args: []string{"i32:-5", "f64:nan"}},
		},
		Result: Result{
			Class:  "exit",
			Fuel:   1<<53 + 1,
			Root:   seal.Sum([]byte("root")),
			Stdout: blob("stdout"),
			Stderr: NewBlob(nil),

			Returned: []string{"i64:7"},
			Writes: []Write{
				{Guest: "/data", Changes: []Change{
					{Path: "dev", Was: KindOther, Kind: KindAbsent},
					{Path: "link", Was: KindLink, Kind: KindLink, Target: "out"},
					{Path: "out", Was: KindAbsent, Kind: KindFile, Content: blobAt("out")},
					{Path: "sub2", Was: KindAbsent, Kind: KindDir},
				}},
				{Guest: "/tar", Content: blobAt("outtar")},
				{Guest: "/new", Content: blobAt("outtar")},
				{Guest: "two.txt", Changes: []Change{{Path: ".", Was: KindFile, Kind: KindFile, Content: blobAt("out")}}},
			},
		},
		Remarks: Remarks{
			Engine: "wazero", EngineVersion: "1.12.0", Carrel: "0.1.0", Platform: "linux/amd64",
			Started: "2026-11-20T09:00:00Z", WallNS: 12345678, CPUNS: 12000000, Text: "all is well",
		},
	}
}

// small is the least that a receipt can say.
func small() *Receipt {
	return &Receipt{
		Input: Input{
			MachineVersion: 1,
			Program:        blob("program"),
			Guest:          Guest{Name: "posix", Version: 1},
			Clock:          ClockFixed,
			Limits:         Limits{Fuel: 1000, MemoryPages: 16},
			Stdin:          Stdin{Blob: NewBlob(nil)},
		},
		Result: Result{Class: "unreachable", Fuel: 1000, Stdout: NewBlob(nil), Stderr: NewBlob(nil)},
	}
}

// confidential is a receipt of a turn that was handed secrets.
func confidential() *Receipt {
	r := small()
	r.Input.Guest = Guest{Name: "zencode", Version: 2}
	r.Input.Secrets = []Secret{NewSecret("", [SaltBytes]byte{31: 2}, nil), NewSecret("API key", [SaltBytes]byte{1}, []byte("open"))}
	return r
}

// build is a compiler and a linker: an object goes from the one to the other in
// a tar, a map is written beside it and replaced.
func build() *Build {
	compiled := Turn{
		Input: Input{
			MachineVersion: 1, Program: blob("program"), Guest: Guest{Name: "posix", Version: 1},
			Args: []string{"clang", "-cc1", "a.c"}, Cwd: "/src", Clock: ClockTick,
			Limits: Limits{Fuel: 1000, MemoryPages: 16}, Stdin: Stdin{Blob: NewBlob(nil)},
			Mounts: []Mount{
				{Guest: "/", Kind: MountDir, Mode: ModeRW, Observed: []Observation{
					{Path: "src/a.c", Kind: KindFile, Size: blob("stdin").Size, Digest: blob("stdin").Digest},
					{Path: "src/a.map", Kind: KindAbsent},
				}},
				{Guest: "/tmp", Kind: MountTar, Mode: ModeRW, Content: blobAt("tar")},
			},
		},
		Result: Result{Class: "exit", Fuel: 900, Root: seal.Sum([]byte("root")), Stdout: NewBlob(nil), Stderr: NewBlob(nil), Writes: []Write{
			{Guest: "/", Changes: []Change{{Path: "src/a.map", Was: KindAbsent, Kind: KindFile, Content: blobAt("words")}}},
			{Guest: "/tmp", Content: blobAt("outtar")},
		}},
	}
	linked := compiled
	linked.Input.Args = []string{"wasm-ld", "/tmp/a.o"}
	linked.Input.Mounts = []Mount{
		{Guest: "/", Kind: MountDir, Mode: ModeRW, Observed: []Observation{
			{Path: "src/a.map", Kind: KindFile, Size: blob("words").Size, Digest: blob("words").Digest},
			{Path: "src/a.out", Kind: KindAbsent},
		}},
		{Guest: "/tmp", Kind: MountTar, Mode: ModeRW, Content: blobAt("outtar")},
	}
	linked.Result.Writes = []Write{{Guest: "/", Changes: []Change{
		{Path: "src/a.map", Was: KindFile, Kind: KindAbsent},
		{Path: "src/a.out", Was: KindAbsent, Kind: KindFile, Content: blobAt("out")},
	}}}
	return &Build{Command: []string{"cc", "-g", "a.c"}, Steps: []Turn{compiled, linked}, Remarks: Remarks{Carrel: "v1"}}
}

func mustEncode(t testing.TB, s Statement) []byte {
	payload, err := Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

func mustSign(t testing.TB, s Statement, keys ...seal.PrivateKey) *seal.Envelope {
	envelope, err := Sign(s, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}
