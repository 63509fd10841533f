package main

import (
	"errors"
	"fmt"

	"carrel/turn"
)

// Exit codes of carrel run, beside the guest's own. They follow what shells and
// timeout(1) do; docs/errors has a page for each.
const (
	exitStopped     = 124 // the host stopped the guest: wall clock
	exitError       = 125 // our own error, bad usage, or a worker fault
	exitRefused     = 126 // the program is not one this machine runs
	exitNotFound    = 127 // the program was not found
	exitInterrupted = 130 // the person at the terminal stopped the guest
	exitTrap        = 134 // a trap: unreachable, memory, table, divide, overflow, conversion
	exitDepth       = 139 // too deep
	exitFuel        = 152 // out of fuel
	exitLargest     = 255 // the guest's code was 255 or larger
)

// Exit codes of carrel verify.
const (
	verifySame      = 0 // the replay gave the same result
	verifyDifferent = 1 // it did not
	verifyCannot    = 2 // something is missing, or this engine cannot say
	verifyUntrusted = 3 // the same, but signed by nobody you trust
)

// guestExit is the exit code that tells how a guest ended.
func guestExit(outcome turn.Outcome) int {
	switch outcome.Class {
	case turn.Exit:
		return int(min(outcome.Code, exitLargest))
	case turn.Fuel:
		return exitFuel
	case turn.Depth:
		return exitDepth
	case turn.Refused:
		return exitRefused
	case turn.Stopped:
		return exitStopped
	case turn.Worker:
		return exitError
	default:
		return exitTrap
	}
}

// A status is an error that carries the exit code of the process. Its text says
// what happened, where, and what to do; empty when all has been said already.
type status struct {
	code int
	err  error
}

func (s *status) Error() string {
	if s.err == nil {
		return fmt.Sprintf("exit %d", s.code)
	}
	return s.err.Error()
}

func (s *status) Unwrap() error { return s.err }

// quit ends a command with an exit code and nothing more to say.
func quit(code int) error {
	if code == 0 {
		return nil
	}
	return &status{code: code}
}

// failf ends a command with an exit code and a message.
func failf(code int, format string, args ...any) error {
	return &status{code: code, err: fmt.Errorf(format, args...)}
}

// exitCode is the exit code that an error of a command asks for, and what to
// say about it.
func exitCode(err error) (code int, message string) {
	if err == nil {
		return 0, ""
	}
	if s := (*status)(nil); errors.As(err, &s) {
		if s.err == nil {
			return s.code, ""
		}
		return s.code, err.Error()
	}
	return exitError, err.Error()
}
