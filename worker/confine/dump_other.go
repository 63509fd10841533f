//go:build !linux

package confine

// NoDump is of Linux.
func NoDump() error { return ErrUnsupported }
