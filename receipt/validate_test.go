package receipt

import (
	"strings"
	"testing"

	"carrel/program/seal"
	"carrel/turn"
)

func TestValidate(t *testing.T) {
	if err := sample().Validate(); err != nil {
		t.Fatal(err)
	}
	if err := small().Validate(); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", TextBytesMax+1)
	observed := func(r *Receipt) []Observation { return r.Input.Mounts[0].Observed }
	changes := func(r *Receipt) []Change { return r.Result.Writes[0].Changes }
	for _, c := range []struct {
		name   string
		break_ func(*Receipt)
		wrong  string
	}{
		{"no machine version", func(r *Receipt) { r.Input.MachineVersion = 0 }, "machineVersion is 0"},
		{"no program", func(r *Receipt) { r.Input.Program = Blob{} }, "program: no digest"},
		{"empty program with another digest", func(r *Receipt) { r.Input.Program.Size = 0 }, "program: 0 bytes cannot have digest"},
		{"bytes with the empty digest", func(r *Receipt) { r.Result.Stderr.Size = 1 }, "stderr: 1 bytes cannot have digest"},
		{"no guest", func(r *Receipt) { r.Input.Guest.Name = "" }, "guest has no name"},
		{"no guest version", func(r *Receipt) { r.Input.Guest.Version = 0 }, "guest has no name"},
		{"bad guest", func(r *Receipt) { r.Input.Guest.Name = "\xff" }, "guest: "},
		{"bad UTF-8", func(r *Receipt) { r.Input.Args[1] = "\xff" }, `args: 1: "\xff" is not UTF-8`},
		{"zero byte", func(r *Receipt) { r.Input.Env[0] = "A=\x00" }, "env: 0: "},
		{"long argument", func(r *Receipt) { r.Input.Args[0] = long }, "at most 1048576"},
		{"many arguments", func(r *Receipt) { r.Input.Args = make([]string, TextsMax+1) }, "at most 65536"},
		{"clock", func(r *Receipt) { r.Input.Clock = "fast" }, `clock is "fast"`},
		{"seed", func(r *Receipt) { r.Input.Seed = "0" }, `seed: "0" is not lower-case`},
		{"seed in upper case", func(r *Receipt) { r.Input.Seed = "FF" }, `seed: "FF" is not lower-case`},
		{"long seed", func(r *Receipt) { r.Input.Seed = strings.Repeat("00", SeedBytesMax+1) }, "seed: 1025 bytes"},
		{"fuel limit", func(r *Receipt) { r.Input.Limits.Fuel = turn.FuelMax + 1 }, "limits: "},
		{"pages limit", func(r *Receipt) { r.Input.Limits.MemoryPages = turn.MemoryPagesMax + 1 }, "limits: "},
		{"stdin", func(r *Receipt) { r.Input.Stdin.Digest = seal.Digest{} }, "stdin: no digest"},

		{"many mounts", func(r *Receipt) { r.Input.Mounts = make([]Mount, MountsMax+1) }, "at most 1024"},
		{"mount nowhere", func(r *Receipt) { r.Input.Mounts[0].Guest = "" }, "no path"},
		{"mount twice", func(r *Receipt) { r.Input.Mounts[1].Guest = "/data" }, `mount "/data" is there twice`},
		{"mount at bad text", func(r *Receipt) { r.Input.Mounts[0].Guest = "/\xff" }, "is not UTF-8"},
		{"mount kind", func(r *Receipt) { r.Input.Mounts[0].Kind = "zip" }, `kind is "zip"`},
		{"mount mode", func(r *Receipt) { r.Input.Mounts[0].Mode = ModeWO }, `mode is "wo", want one of ro, rw`},
		{"directory with content", func(r *Receipt) { r.Input.Mounts[0].Content = blobAt("tar") }, "content does not go with kind dir"},
		{"tar without content", func(r *Receipt) { r.Input.Mounts[1].Content = nil }, "content does not go with kind tar"},
		{"tar with half content", func(r *Receipt) { r.Input.Mounts[1].Content = &Blob{} }, "no digest"},
		{"tar observed", func(r *Receipt) { r.Input.Mounts[1].Observed = observed(r)[:1] }, "observations of kind tar"},
		{"new tar with content", func(r *Receipt) { r.Input.Mounts[2].Content = blobAt("tar") }, "content does not go with kind tar, mode wo"},
		{"file with both", func(r *Receipt) { r.Input.Mounts[3].Observed = r.Input.Mounts[4].Observed }, "content does not go with kind file"},

		{"observations out of order", func(r *Receipt) { o := observed(r); o[1], o[2] = o[2], o[1] }, "out of order"},
		{"observed twice", func(r *Receipt) { observed(r)[2] = observed(r)[1] }, "out of order or there twice"},
		{"absolute path", func(r *Receipt) { observed(r)[0].Path = "/" }, "not a clean relative path"},
		{"parent path", func(r *Receipt) { observed(r)[2].Path = "e/../x" }, "not a clean relative path"},
		{"path not UTF-8", func(r *Receipt) { observed(r)[2].Path = "e\xff" }, "not a clean relative path"},
		{"observed kind", func(r *Receipt) { observed(r)[1].Kind = "disk" }, `kind is "disk"`},
		{"content of a directory", func(r *Receipt) { observed(r)[5].Size = 1 }, "content of kind dir"},
		{"empty file with another digest", func(r *Receipt) { observed(r)[2].Digest = blob("tar").Digest }, "0 bytes cannot have digest"},
		{"a file listed", func(r *Receipt) { observed(r)[2].Listed = true }, "entries of what was not listed"},
		{"entries not listed", func(r *Receipt) { observed(r)[0].Listed = false }, "entries of what was not listed"},
		{"target of a file", func(r *Receipt) { observed(r)[2].Target = "x" }, "target of kind file"},
		{"target not UTF-8", func(r *Receipt) { observed(r)[3].Target = "\xff" }, "not UTF-8"},
		{"entries out of order", func(r *Receipt) { e := observed(r)[0].Entries; e[0], e[1] = e[1], e[0] }, "out of order"},
		{"entry with a slash", func(r *Receipt) { observed(r)[0].Entries[0].Name = "a/b" }, "is no name"},
		{"entry is a dot", func(r *Receipt) { observed(r)[0].Entries[0].Name = "." }, "is no name"},
		{"entry is absent", func(r *Receipt) { observed(r)[0].Entries[0].Kind = KindAbsent }, `kind is "absent"`},

		{"class", func(r *Receipt) { r.Result.Class = "bad" }, `unknown class "bad"`},
		{"stopped", func(r *Receipt) { r.Result.Class = "stopped" }, "class stopped is no result"},
		{"code without exit", func(r *Receipt) { r.Result.Class, r.Result.Code = "fuel", 1 }, "with an exit code"},
		{"more fuel than the limit", func(r *Receipt) { r.Result.Fuel = 1<<62 + 1 }, "the limit 4611686018427387904"},
		{"written on exit 1", func(r *Receipt) { r.Result.Code = 1 }, "did not exit 0"},
		{"written on a trap", func(r *Receipt) { r.Result.Class = "memory" }, "did not exit 0"},
		{"writes out of order", func(r *Receipt) { w := r.Result.Writes; w[0], w[1] = w[1], w[0] }, "out of order"},
		{"written twice", func(r *Receipt) { r.Result.Writes[1] = r.Result.Writes[0] }, `write "/data": no such mount, or out of order`},
		{"write without a mount", func(r *Receipt) { r.Result.Writes[0].Guest = "/x" }, "no such mount"},
		{"read-only mount written", func(r *Receipt) { r.Input.Mounts[0].Mode = ModeRO }, "is not written back"},
		{"temp written", func(r *Receipt) { r.Result.Writes = []Write{{Guest: "/tmp"}} }, "is not written back"},
		{"directory written as a tar", func(r *Receipt) { r.Result.Writes[0].Content = blobAt("tar") }, "content does not go with kind dir"},
		{"tar without bytes", func(r *Receipt) { r.Result.Writes[1].Content = nil }, "content does not go with kind tar"},
		{"tar with changes", func(r *Receipt) { r.Result.Writes[1].Changes = changes(r) }, "changes of kind tar"},
		{"changes out of order", func(r *Receipt) { c := changes(r); c[0], c[1] = c[1], c[0] }, "out of order"},
		{"root changed", func(r *Receipt) { changes(r)[0].Path = "." }, "not a path in a mount of kind dir"},
		{"path in a file", func(r *Receipt) { r.Result.Writes[3].Changes[0].Path = "x" }, "not a path in a mount of kind file"},
		{"path upwards", func(r *Receipt) { changes(r)[0].Path = "../x" }, "not a clean relative path"},
		{"change of nothing", func(r *Receipt) { changes(r)[0].Was = KindAbsent }, "absent before and after is no change"},
		{"became a device", func(r *Receipt) { changes(r)[0].Kind = KindOther }, `kind is "other"`},
		{"was what", func(r *Receipt) { changes(r)[0].Was = "" }, `was is ""`},
		{"file without content", func(r *Receipt) { changes(r)[2].Content = nil }, "content does not go with kind file"},
		{"link without target", func(r *Receipt) { changes(r)[1].Target = "" }, "target does not go with kind link"},
		{"directory with target", func(r *Receipt) { changes(r)[3].Target = "x" }, "target does not go with kind dir"},

		{"remark not UTF-8", func(r *Receipt) { r.Remarks.Text = "\xff" }, "remarks: 5: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := sample()
			c.break_(r)
			err := r.Validate()
			if err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("got %v, want an error with %q", err, c.wrong)
			}
			if _, err := Encode(r); err == nil {
				t.Error("the encoder does not validate")
			}
			// What can be written at all must be refused by the decoder too.
			if text, err := encode(r); err == nil {
				if _, err := Decode(text); err == nil {
					t.Error("the decoder does not validate")
				}
			}
		})
	}
}
