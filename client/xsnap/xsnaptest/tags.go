//go:build !wasmtime

package xsnaptest

// tags are those that the worker is built with, beside that of the engine of
// JavaScript: those of the test.
var tags []string
