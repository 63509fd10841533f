//go:build !engine

package js

var embedded []byte
