//go:build !wasmtime

package xsnaptest

// tags are those that the worker is built with: those of the test.
var tags []string
