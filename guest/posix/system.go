package posix

import (
	"carrel/machine"
)

// Entry point that a program is run by.
const Start = "_start"

// A System is the operating system that one run of one program sees. It is
// used by one goroutine.
type System struct {
	config Config
}

// New prepares a system. An error is a mistake in the configuration or a
// failure of the host.
func New(config Config) (*System, error) {
	return &System{config: config}, nil
}

// Imports are the functions offered to programs: WASI preview 1, under
// wasi_snapshot_preview1 and under its older name wasi_unstable. They find
// their System in Instance.Guest.
func Imports() machine.Imports { return nil }

// Run runs a program from its entry point to its end. The error is what
// Instance.Outcome asks for.
func (s *System) Run(i *machine.Instance) error {
	i.Guest = s
	_, err := i.Call(Start)
	return err
}

// Err is the first failure of the host that ended the run (class worker), with
// its type: a closed pipe, a file that changed, a *NotObservedError.
func (s *System) Err() error { return nil }

// Result tells what passed through the standard streams.
func (s *System) Result() Result { return Result{} }

// Observations are all that was learnt of mounted trees, sorted by mount and
// path. Call it after Changes, which may have to look further.
func (s *System) Observations() []Observation { return nil }

// Changes are what the program did to its writable mounts, sorted by mount and
// path. An error is a failure of the host, or a *ChangeError where a tree
// cannot be written back.
func (s *System) Changes() ([]Change, error) { return nil, nil }

// WithTemp adds an empty writable directory at /tmp, as the last mount, unless
// one of the mounts is there already or above it.
func WithTemp(mounts []Mount) []Mount { return mounts }

// Replay is a tree that holds what was observed of one mount and nothing else:
// whatever else is looked at is a *NotObservedError. blob gives content by its
// digest, which is checked.
func Replay(observations []Observation, mount int, blob func(digest string) ([]byte, error)) (Tree, error) {
	return nil, nil
}

// A NotObservedError reports that a program that is replayed looked at
// something that the receipt does not tell: it did not do what it did before.
type NotObservedError struct {
	Mount int
	Path  string
	What  string // "stat", "list", "link" or "read"
}

func (e *NotObservedError) Error() string { return e.What + " " + e.Path + ": not in the receipt" }
