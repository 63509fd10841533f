package receipt

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"carrel/program/seal"
)

func TestBuildValidate(t *testing.T) {
	if err := build().Validate(); err != nil {
		t.Fatal(err)
	}
	found := func(b *Build) *Observation { return &b.Steps[1].Input.Mounts[0].Observed[0] }
	for _, c := range []struct {
		name   string
		break_ func(*Build)
		wrong  string
	}{
		{"no command", func(b *Build) { b.Command = nil }, "command is empty"},
		{"command not UTF-8", func(b *Build) { b.Command[1] = "\xff" }, "command: 1: "},
		{"no turns", func(b *Build) { b.Steps = nil }, "0 turns, want 1 to 16384"},
		{"many turns", func(b *Build) { b.Steps = make([]Turn, TurnsMax+1) }, "16385 turns"},
		{"bad input", func(b *Build) { b.Steps[1].Input.Clock = "fast" }, `turn 2: input: clock is "fast"`},
		{"bad result", func(b *Build) { b.Steps[0].Result.Fuel = 1001 }, "turn 1: result: fuel is 1001"},
		{"remark not UTF-8", func(b *Build) { b.Remarks.Text = "\xff" }, "remarks: 5: "},
		{"another tar goes on", func(b *Build) { b.Steps[1].Input.Mounts[1].Content = blobAt("tar") }, `turn 2: mount "/tmp" is not what a turn before left there`},
		{"another tar goes on, under another name of its place", func(b *Build) {
			b.Steps[1].Input.Mounts[1].Guest, b.Steps[1].Input.Mounts[1].Content = "//tmp/.", blobAt("tar")
			b.Steps[1].Result.Writes = nil
		}, `turn 2: mount "//tmp/." is not what a turn before left there`},
		{"a tar where a file was written", func(b *Build) { b.Steps[1].Input.Mounts[1].Guest = "/src/a.map" }, `mount "/src/a.map" is not what`},
		{"a directory where a file was written", func(b *Build) {
			b.Steps[1].Input.Mounts[1] = Mount{Guest: "/src/a.map", Kind: MountDir, Mode: ModeRO, Observed: []Observation{{Path: ".", Kind: KindDir}}}
		}, `mount "/src/a.map": "." is not what`},
		{"another file is found", func(b *Build) {
			*found(b) = Observation{Path: "src/a.map", Kind: KindFile, Size: 19, Digest: blob("stdin").Digest}
		}, `turn 2: mount "/": "src/a.map" is not what`},
		{"nothing is found", func(b *Build) { *found(b) = Observation{Path: "src/a.map", Kind: KindAbsent} }, `"src/a.map" is not what`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := build()
			c.break_(b)
			if err := b.Validate(); err == nil || !strings.Contains(err.Error(), c.wrong) {
				t.Fatalf("got %v, want an error with %q", err, c.wrong)
			}
		})
	}
}

func TestBuildSubjects(t *testing.T) {
	names := func(b *Build) string {
		var all []string
		for _, s := range b.Subjects() {
			all = append(all, s.Name)
		}
		return strings.Join(all, " ")
	}
	if got := names(build()); got != "/src/a.out /tmp" {
		t.Errorf("got %s", got)
	}
	failed := build()
	for n := range failed.Steps {
		failed.Steps[n].Result.Writes = nil
	}
	if got := names(failed); got != "stdout stderr" {
		t.Errorf("of a build that wrote nothing: %s", got)
	}
}

// TestNeeds holds what is needed to what is named: not what a turn before made.
func TestNeeds(t *testing.T) {
	want := distinct([]Blob{blob("program"), blob("stdin"), blob("tar")})
	if diff := cmp.Diff(want, Needs(build())); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(sample().Input.Blobs(), Needs(sample())); diff != "" {
		t.Error(diff)
	}
}

func TestVerifyBuild(t *testing.T) {
	key := testKey(1)
	envelope := mustSign(t, build(), key)
	signers := []seal.KeyID{key.ID()}
	for _, c := range []struct {
		name string
		run  func(n int, result *Result) error
		ran  int
		want Report
	}{
		{"same", func(int, *Result) error { return nil }, 2, Report{Verdict: Same, Signers: signers}},
		{"the first differs", func(n int, r *Result) error { r.Fuel += 1 - uint64(n); return nil }, 1,
			Report{Verdict: Different, Signers: signers, Differences: []Difference{{"turn 1 of 2: fuel", "900", "901"}}}},
		{"the second differs", func(n int, r *Result) error { r.Fuel += uint64(n); return nil }, 2,
			Report{Verdict: Different, Signers: signers, Differences: []Difference{{"turn 2 of 2: fuel", "900", "901"}}}},
		{"the second cannot be run", func(n int, r *Result) error {
			if n == 1 {
				return errors.New("no memory")
			}
			return nil
		}, 2, Report{Verdict: Cannot, Signers: signers, Reason: "turn 2 of 2: no memory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ran := 0
			got := Verify(t.Context(), envelope, []seal.PublicKey{key.Public()}, func(_ context.Context, in *Input) (*Result, error) {
				step := build().Steps[ran]
				if diff := cmp.Diff(&step.Input, in); diff != "" {
					t.Error(diff)
				}
				err := c.run(ran, &step.Result)
				ran++
				return &step.Result, err
			})
			if diff := cmp.Diff(c.want, got); diff != "" || ran != c.ran {
				t.Errorf("%d turns: %s", ran, diff)
			}
		})
	}
}
