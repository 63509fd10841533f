package xsnap

import "carrel/turn"

// Exit codes of a worker.
const (
	ExitUnknown     = 255 // an exception that nothing could catch
	ExitSuccess     = 0
	ExitUsage       = 1
	ExitIO          = 2
	ExitMemory      = 11
	ExitStack       = 12
	ExitException   = 15 // the last command failed: see Serve
	ExitKeys        = 16 // of XS alone: names are bounded by memory here
	ExitComputation = 17
)

// exitCode is the code that a worker ends with after a turn that could not go on.
func exitCode(class turn.Class) int {
	switch class {
	case turn.Memory:
		return ExitMemory
	case turn.Depth:
		return ExitStack
	case turn.Fuel:
		return ExitComputation
	}
	return ExitUnknown
}

// An exit is an error that ends the worker: with a code, and a line on standard
// error, if there is any.
type exit struct {
	code int
	line string
}

func (e *exit) Error() string { return e.line }
