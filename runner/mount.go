package runner

import (
	"carrel/guest/posix"
	"carrel/receipt"
)

// A Mount is a tree of files, or one file, that a program is handed.
type Mount struct {
	Guest string // absolute path that the program sees
	Kind  string // receipt.MountDir, MountTar or MountFile
	Mode  string // receipt.ModeRO, ModeRW or ModeWO
	// Tree is what is there; nil is nothing, as with ModeWO.
	Tree posix.Tree
	// Content names all of a tar or file; nil for a directory, of which only
	// what the program looks at is an input.
	Content *receipt.Blob
}

func (m *Mount) posix() posix.Mount {
	p := posix.Mount{Guest: m.Guest, Writable: m.Mode != receipt.ModeRO, Tree: m.Tree}
	if m.Content != nil {
		p.Digest = m.Content.Digest.String()
	}
	return p
}
