package receipt

import "carrel/program/seal"

// A Mount is a file system, or one file, that the guest was handed.
type Mount struct {
	Guest string `json:"guest"` // the path that the guest sees: "/data", ".", "data/in.txt"
	Kind  string `json:"kind"`  // MountDir, MountTar, MountFile, MountTemp
	Mode  string `json:"mode"`  // ModeRO, ModeRW, ModeWO

	// Content is the tar or the file as it was handed in; nil for a directory,
	// for what is only written, and for a file that is observed instead.
	Content *Blob `json:"content,omitempty"`

	// Observed is all that the guest learned of a directory (or of a single
	// file, at "."), sorted by path in byte order, each path once. What it
	// never looked at is no input.
	Observed []Observation `json:"observed,omitempty"`
}

// Kinds and modes of a mount.
const (
	MountDir  = "dir"
	MountTar  = "tar"
	MountFile = "file"
	MountTemp = "temp" // empty at the start, in memory, thrown away

	ModeRO = "ro" // read only
	ModeRW = "rw" // read, and written back on exit 0
	ModeWO = "wo" // starts empty, written on exit 0
)

// An Observation is what the guest learned of one path in a directory.
type Observation struct {
	Path    string      `json:"path"` // relative to the mount, slashes; "." is the mount itself
	Kind    string      `json:"kind"` // KindFile, KindDir, KindLink, KindAbsent, KindOther
	Size    uint64      `json:"size,string,omitempty"`
	Digest  seal.Digest `json:"digest,omitzero"`   // of a file that was read
	Listed  bool        `json:"listed,omitempty"`  // whether a directory was listed
	Entries []Entry     `json:"entries,omitempty"` // what the listing said, sorted by name
	Target  string      `json:"target,omitempty"`  // of a link that was read or followed
}

// An Entry is one line of a listing.
type Entry struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
}

// Kinds of things in a directory.
const (
	KindFile   = "file"
	KindDir    = "dir"
	KindLink   = "link"
	KindAbsent = "absent" // the guest was told that nothing is there
	KindOther  = "other"  // device, socket, pipe: there, and never opened
)

// A Write is what was written back to one mount.
type Write struct {
	Guest string `json:"guest"` // path of the mount

	// Content is the tar as written; nil for a directory or a single file.
	Content *Blob `json:"content,omitempty"`

	// Changes are what became of a directory or a single file, sorted by path in byte
	// order, each path once.
	Changes []Change `json:"changes,omitempty"`
}

// A Change is the difference at one path between a directory as it was handed
// in and as it was written back. What was renamed is gone at one path and new at
// another.
type Change struct {
	Path    string `json:"path"`              // relative to the mount, slashes; "." for a single file
	Was     string `json:"was"`               // KindFile, KindDir, KindLink; KindAbsent if it is new
	Kind    string `json:"kind"`              // the same; KindAbsent if it is gone
	Content *Blob  `json:"content,omitempty"` // of a file
	Target  string `json:"target,omitempty"`  // of a link
}
