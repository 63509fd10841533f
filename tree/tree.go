// Package tree holds the words for trees of files: what is found at a path,
// where to look, what changed. It is pure: package disk looks at the host's
// directories, package guest/posix/tar into images, package guest/posix shows
// trees to programs.
//
// Names are as in io/fs: relative, separated by slashes, "." for the root.
package tree

import "fmt"

// A Tree is a tree of files that is handed to a program. Its root is a
// directory, or a file where a single file is handed in. Nothing follows
// symbolic links: that is done inside the sandbox, name by name.
//
// A name that does not exist is an error that wraps fs.ErrNotExist, which the
// program sees. Any other error is a failure of the host and ends the run.
type Tree interface {
	// Stat gives what is at name, and the size of a file.
	Stat(name string) (Kind, int64, error)
	// List gives the entries of a directory, in any order; an error if there
	// are more than limit.
	List(name string, limit int) ([]Entry, error)
	// Link gives the target of a symbolic link.
	Link(name string) (string, error)
	// Read gives the content of a file, which should still be size bytes long;
	// if it is not, it gives what it found, but not much more than size. The
	// caller does not change it.
	Read(name string, size int64) ([]byte, error)
}

// A Kind is what is found at a path.
type Kind uint8

const (
	Absent Kind = iota // nothing
	File               // a regular file
	Dir                // a directory
	Link               // a symbolic link
	Other              // a device, socket or pipe: can be seen, cannot be opened
)

var kindNames = [...]string{"absent", "file", "dir", "link", "other"}

func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind is the inverse of String.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if name == s {
			return Kind(k), nil
		}
	}
	return 0, fmt.Errorf("unknown kind %q", s)
}

// An Entry is one name in a directory.
type Entry struct {
	Name string
	Kind Kind
}

// A Change is the difference between a tree as it was handed in and as a
// program left it, at one path. What was renamed is gone at one path and new
// at another.
type Change struct {
	Mount int    // which of the program's mounts
	Path  string // within the tree, "." only for a single file
	Was   Kind   // Absent if it is new
	Kind  Kind   // Absent if it is gone

	Data   []byte // content of a file; do not change
	Digest string // "sha256:…" of a file's content
	Target string // of a link
}
