package receipt

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"carrel/program/seal"
	"carrel/turn"
)

// Validate reports the first thing about a receipt that cannot be so: a text
// that is not UTF-8, a limit exceeded, a list out of order, a class that is no
// result, a file written by a turn that did not end well. The encoder and the
// decoder both call it.
func (r *Receipt) Validate() error {
	if err := r.Input.Validate(); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	if err := r.Result.validate(&r.Input); err != nil {
		return fmt.Errorf("result: %w", err)
	}
	if err := r.Remarks.validate(); err != nil {
		return fmt.Errorf("remarks: %w", err)
	}
	return nil
}

// Validate reports the first thing about an input that cannot be so.
func (in *Input) Validate() error {
	if in.MachineVersion == 0 {
		return errors.New("machineVersion is 0")
	}
	if err := in.Program.validate(); err != nil {
		return fmt.Errorf("program: %w", err)
	}
	if in.Guest.Name == "" || in.Guest.Version == 0 {
		return errors.New("guest has no name or no version")
	}
	if err := validText(in.Guest.Name); err != nil {
		return fmt.Errorf("guest: %w", err)
	}
	if err := validTexts(in.Args); err != nil {
		return fmt.Errorf("args: %w", err)
	}
	if err := validTexts(in.Env); err != nil {
		return fmt.Errorf("env: %w", err)
	}
	if err := validText(in.Cwd); err != nil || in.Cwd != "" && in.Cwd[0] != '/' {
		return fmt.Errorf("cwd %.80q is not an absolute path", in.Cwd)
	}
	if in.Clock != ClockTick && in.Clock != ClockFixed {
		return fmt.Errorf("clock is %.80q", in.Clock)
	}
	if err := validSeed(in.Seed); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if in.Limits.Fuel > turn.FuelMax || in.Limits.MemoryPages > turn.MemoryPagesMax {
		return fmt.Errorf("limits: %d fuel and %d pages, at most %d and %d",
			in.Limits.Fuel, in.Limits.MemoryPages, uint64(turn.FuelMax), turn.MemoryPagesMax)
	}
	if err := in.Stdin.validate(); err != nil {
		return fmt.Errorf("stdin: %w", err)
	}
	if in.ImageBefore.IsZero() != (in.ImageFile == nil) {
		return errors.New("imageBefore and imageFile do not come together")
	}
	if in.ImageFile != nil {
		if err := in.ImageFile.validate(); err != nil {
			return fmt.Errorf("imageFile: %w", err)
		}
	}
	if in.Call != nil {
		if in.Call.Export == "" {
			return errors.New("call: of no function")
		}
		if err := validTexts(append([]string{in.Call.Export}, in.Call.Args...)); err != nil {
			return fmt.Errorf("call: %w", err)
		}
	}
	if err := validSecrets(in.Secrets); err != nil {
		return err
	}
	return validMounts(in.Mounts)
}

func (r *Result) validate(in *Input) error {
	class, err := turn.ParseClass(r.Class)
	if err != nil {
		return err
	}
	switch {
	case !class.Result():
		return fmt.Errorf("class %s is no result", class)
	case class != turn.Exit && r.Code != 0:
		return fmt.Errorf("class %s with an exit code", class)
	case r.Fuel > in.Limits.Fuel:
		return fmt.Errorf("fuel is %d, the limit %d", r.Fuel, in.Limits.Fuel)
	case len(r.Writes) > 0 && (class != turn.Exit || r.Code != 0):
		return errors.New("files written by a turn that did not exit 0")
	case len(r.Returned) > 0 && (class != turn.Exit || in.Call == nil):
		return errors.New("values returned without a call, or by one that did not end")
	}
	if err := validTexts(r.Returned); err != nil {
		return fmt.Errorf("returned: %w", err)
	}
	if err := r.Stdout.validate(); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	if err := r.Stderr.validate(); err != nil {
		return fmt.Errorf("stderr: %w", err)
	}
	return validWrites(r.Writes, in.Mounts)
}

func (r *Remarks) validate() error {
	return validTexts([]string{r.Engine, r.EngineVersion, r.Carrel, r.Platform, r.Started, r.Text})
}

// emptyDigest is the name of no bytes.
var emptyDigest = seal.Sum(nil)

func (b Blob) validate() error {
	switch {
	case b.Digest.IsZero():
		return errors.New("no digest")
	case (b.Size == 0) != (b.Digest == emptyDigest):
		return fmt.Errorf("%d bytes cannot have digest %s", b.Size, b.Digest)
	}
	return nil
}

func validTexts(texts []string) error {
	if len(texts) > TextsMax {
		return fmt.Errorf("%d texts, at most %d", len(texts), TextsMax)
	}
	for n, text := range texts {
		if err := validText(text); err != nil {
			return fmt.Errorf("%d: %w", n, err)
		}
	}
	return nil
}

func validText(text string) error {
	switch {
	case len(text) > TextBytesMax:
		return fmt.Errorf("a text of %d bytes, at most %d", len(text), TextBytesMax)
	case !utf8.ValidString(text):
		return fmt.Errorf("%.80q is not UTF-8", text)
	case strings.ContainsRune(text, 0):
		return fmt.Errorf("%.80q contains a zero byte", text)
	}
	return nil
}

func validSeed(seed string) error {
	data, err := hex.DecodeString(seed)
	if err != nil || hex.EncodeToString(data) != seed {
		return fmt.Errorf("%.80q is not lower-case hexadecimal", seed)
	}
	if len(data) > SeedBytesMax {
		return fmt.Errorf("%d bytes, at most %d", len(data), SeedBytesMax)
	}
	return nil
}

func oneOf(name, value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return fmt.Errorf("%s is %.80q, want one of %s", name, value, strings.Join(values, ", "))
}
