package main

import (
	"bytes"
	"context"
)

// carrel runs the command line in this process.
func carrel(stdin *bytes.Buffer, args ...string) (stdout, stderr string, code int) {
	if stdin == nil {
		stdin = &bytes.Buffer{}
	}
	var out, err bytes.Buffer
	code = run(context.Background(), args, stdin, &out, &err)
	return out.String(), err.String(), code
}
