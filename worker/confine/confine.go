// Package confine takes from a process what it does not need.
package confine

import "errors"

// ErrUnsupported reports what this platform cannot do.
var ErrUnsupported = errors.New("not possible on this platform")
