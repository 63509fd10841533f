package ncr

import (
	"context"
	"errors"
)

// A room bounds how many requests run scripts, and how many wait to.
type room struct {
	admitted chan struct{} // has a place for each that runs or waits
	running  chan struct{}
}

func newRoom(running, waiting int) room {
	return room{make(chan struct{}, running+waiting), make(chan struct{}, running)}
}

// errFull is of a request that would have to wait outside.
var errFull = errors.New("too many requests wait already")

// enter takes a place; errFull if there is none. It is to be left.
func (r room) enter() error {
	select {
	case r.admitted <- struct{}{}:
		return nil
	default:
		return errFull
	}
}

func (r room) leave() { <-r.admitted }

// begin waits for its turn to run. It is to be ended.
func (r room) begin(ctx context.Context) error {
	select {
	case r.running <- struct{}{}:
		if ctx.Err() == nil {
			return nil
		}
		r.end()
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}

func (r room) end() { <-r.running }
