// Package wasmtime puts wasmtime behind machine.Engine, in builds with cgo and
// the tag "wasmtime". Other builds have a New that says so.
//
// It is faster than wazero and shares no code with it: the second opinion of
// the tests and of carrel verify. It runs with our fuel and not with its own.
package wasmtime

// Version is the version of wasmtime's Go package, and with it of the library.
const Version = "39.0.1"

// Options tune the engine. The zero value is ready to use.
type Options struct {
	// Workers is how many threads compile one program: 0 and 1 mean one, more
	// means as many as there are processors.
	Workers int
}
