package main

import (
	"os"
	"runtime/debug"
)

// memorySoft is how large Go's heap may become before it is collected more
// often than it would be: what a guest's files and a compiler throw away is
// given back before it adds up.
const memorySoft = 2 << 30

// boundMemory sets the limit, unless GOMEMLIMIT did.
func boundMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memorySoft)
	}
}
