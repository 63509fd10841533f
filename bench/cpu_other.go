//go:build !linux

package main

import "time"

var began = time.Now()

// threadTime and processTime are wall-clock time where the processor time cannot
// be had: the figures are rougher.
func threadTime() time.Duration  { return time.Since(began) }
func processTime() time.Duration { return time.Since(began) }
