package xsnap

import (
	"fmt"
	"os"
)

// An ExitCode is what a worker ended with, or why.
type ExitCode int

// Exit codes of a worker.
const (
	Unknown            ExitCode = -1 // 255, as the system has it
	Success            ExitCode = 0
	BadUsage           ExitCode = 1
	IOError            ExitCode = 2
	NotEnoughMemory    ExitCode = 11
	StackOverflow      ExitCode = 12
	UnhandledException ExitCode = 15 // the last command before Close failed
	NoMoreKeys         ExitCode = 16
	TooMuchComputation ExitCode = 17
)

var exitTexts = map[ExitCode]string{
	BadUsage:           "bad argument usage",
	IOError:            "I/O error",
	NotEnoughMemory:    "not enough memory",
	StackOverflow:      "stack overflow",
	UnhandledException: "unhandled exception",
	NoMoreKeys:         "property (key) name space exhausted",
	TooMuchComputation: "too much computation",
}

func (c ExitCode) String() string {
	if text, ok := exitTexts[c]; ok {
		return text
	}
	return "unknown error"
}

// An ExitError reports that a worker has ended, and why.
type ExitError struct {
	Name   string    // of the worker
	Code   ExitCode  // Success if a signal ended it
	Signal os.Signal // that ended it, or nil
	Stderr string    // what it last wrote to standard error, if nobody else was given that
}

func (e *ExitError) Error() string {
	text := fmt.Sprintf("%s exited", e.Name)
	switch {
	case e.Signal != nil:
		text = fmt.Sprintf("%s exited due to signal %v", e.Name, e.Signal)
	case e.Code != Success:
		text = fmt.Sprintf("%s exited: %v", e.Name, e.Code)
	}
	if e.Stderr != "" {
		text += ": " + e.Stderr
	}
	return text
}

// An Exception is what code threw and did not catch. The worker goes on.
type Exception struct {
	Name string // of the worker
	Text string
}

func (e *Exception) Error() string {
	return fmt.Sprintf("uncaught exception in %s: %s", e.Name, e.Text)
}
