package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// programBytesMax is the largest program that is read at all. The machine's own
// limits are lower in every dimension that costs.
const programBytesMax = 512 << 20

// readProgram reads a program from a file.
func readProgram(name string) ([]byte, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failf(exitNotFound, "%s: there is no such program", name)
	} else if err != nil {
		return nil, failf(exitNotFound, "%w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, failf(exitNotFound, "%s is a directory, not a program", name)
	}
	if info.Size() > programBytesMax {
		return nil, failf(exitRefused, "%s is larger than %s: no program is", name, bytesOf(programBytesMax))
	}
	var wasm bytes.Buffer
	wasm.Grow(int(info.Size()) + bytes.MinRead) // read in one piece
	if _, err := wasm.ReadFrom(io.LimitReader(file, programBytesMax+1)); err != nil {
		return nil, err
	}
	if wasm.Len() > programBytesMax {
		return nil, failf(exitRefused, "%s is larger than %s: no program is", name, bytesOf(programBytesMax))
	}
	return wasm.Bytes(), nil
}
