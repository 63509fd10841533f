//go:build !linux

package main

import "time"

var began = time.Now()

// threadTime is wall-clock time where the processor time of a thread cannot be
// had: the figures are rougher.
func threadTime() time.Duration { return time.Since(began) }
