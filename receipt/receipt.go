// Package receipt is the signed statement of a turn: everything that its result
// depends on, and the result. Whoever holds a receipt and the bytes it names can
// run the turn again, on any engine, and must get the same result.
//
// A receipt is an in-toto Statement v1 in a DSSE envelope, so that existing
// tools read it; docs/formats/receipt.md has it byte by byte. A bundle (package
// receipt/bundle) carries a receipt and the blobs it names.
//
// This package knows no guest and no engine. Whoever runs programs fills in the
// plain structs below, and hands a Runner to Verify.
package receipt

import "carrel/program/seal"

// statementType is what in-toto calls its Statement v1.
const statementType = "https://in-toto.io/Statement/v1"

// A Receipt says what ran, and what came of it.
//
// Texts are UTF-8. Quantities of 64 bits are decimal strings in JSON, since
// many readers keep only 53 bits of a number. What does not apply is absent.
type Receipt struct {
	Input   Input   `json:"input"`
	Result  Result  `json:"result"`
	Remarks Remarks `json:"remarks"`
}

// Input is everything that the result depends on.
type Input struct {
	MachineVersion uint32 `json:"machineVersion"` // turn.MachineVersion
	Program        Blob   `json:"program"`
	Guest          Guest  `json:"guest"`

	// Args begin with the program's own name (argv[0]). Env are NAME=value, in
	// the order the guest sees.
	Args []string `json:"args,omitempty"`
	Env  []string `json:"env,omitempty"`
	Cwd  string   `json:"cwd,omitempty"` // where relative paths begin, an absolute path; "" is nowhere

	TimeNS uint64 `json:"timeNs,string"` // start of the guest's clock, nanoseconds since 1970 UTC
	Clock  string `json:"clock"`         // ClockTick or ClockFixed
	Seed   string `json:"seed"`          // of the guest's randomness, lower-case hexadecimal

	Limits Limits `json:"limits"`
	Stdin  Stdin  `json:"stdin"`

	Mounts []Mount `json:"mounts,omitempty"` // in the order they were made

	// ImageBefore is the root of the image that the turn started from, and
	// ImageFile the file that had it; zero and nil when it started from the
	// program itself. Any file of an image with that root gives the same result.
	ImageBefore seal.Digest `json:"imageBefore,omitzero"`
	ImageFile   *Blob       `json:"imageFile,omitempty"`

	Call *Call `json:"call,omitempty"` // nil for the program's entry point

	// Secrets are those that the guest was handed beside what Mounts hold, sorted by
	// name. Who replays must have them.
	Secrets []Secret `json:"secrets,omitempty"`
}

// A Call is of an exported function. A reactor that begins is initialised first.
type Call struct {
	Export string   `json:"export"`
	Args   []string `json:"args,omitempty"` // with their types: "i32:-5", "f64:0.1"
}

// How a guest's clock goes.
const (
	ClockTick  = "tick"  // one microsecond forward with every reading
	ClockFixed = "fixed" // stands still
)

// A Blob is a run of bytes, by name.
type Blob struct {
	Digest seal.Digest `json:"digest"`
	Size   uint64      `json:"size,string"` // bytes
}

// NewBlob names data.
func NewBlob(data []byte) Blob { return Blob{Digest: seal.Sum(data), Size: uint64(len(data))} }

// Guest is the personality that a program ran under.
type Guest struct {
	Name    string `json:"name"`    // "posix"
	Version uint32 `json:"version"` // of the host layer
}

// Limits are those of turn.Limits.
type Limits struct {
	Fuel        uint64 `json:"fuel,string"` // units
	MemoryPages uint32 `json:"memoryPages"` // of 64 KiB
}

// Stdin is what the guest took from its standard input: exactly the bytes that
// it read, whatever more there was.
type Stdin struct {
	Blob
	End   bool `json:"end"`             // whether the guest met the end of its input
	Lines bool `json:"lines,omitempty"` // whether a read ended after a line, as on a terminal
}

// Result is what must come out again. Only classes that are results of the
// determinism contract have a receipt: not stopped, not worker.
type Result struct {
	Class  string      `json:"class"` // turn.Class.String
	Code   uint32      `json:"code"`  // exit code, 0 unless class is exit
	Fuel   uint64      `json:"fuel,string"`
	Root   seal.Digest `json:"root,omitzero"` // of the final image, if one was taken
	Stdout Blob        `json:"stdout"`
	Stderr Blob        `json:"stderr"`

	Returned []string `json:"returned,omitempty"` // by the function of a call, as its arguments are
	Writes   []Write  `json:"writes,omitempty"`   // one for each mount written back, in the order of mounts
}

// Remarks are no part of the result and never compared. They are signed, but
// say only what this host claims.
type Remarks struct {
	Engine        string `json:"engine,omitempty"`
	EngineVersion string `json:"engineVersion,omitempty"`
	Carrel        string `json:"carrel,omitempty"`   // version of Carrel
	Platform      string `json:"platform,omitempty"` // "linux/amd64"
	Started       string `json:"started,omitempty"`  // wall clock, RFC 3339
	WallNS        uint64 `json:"wallNs,string,omitempty"`
	CPUNS         uint64 `json:"cpuNs,string,omitempty"`
	Text          string `json:"text,omitempty"` // of a fault, for people
}
