//go:build !wasmtime || !cgo

package wasmtime

import (
	"fmt"

	"carrel/machine"
)

// New reports machine.ErrUnsupported: this build has no wasmtime.
func New(Options) (machine.Engine, error) {
	return nil, fmt.Errorf("wasmtime needs a build with cgo and -tags wasmtime: %w", machine.ErrUnsupported)
}
