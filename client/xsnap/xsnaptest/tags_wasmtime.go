//go:build wasmtime

package xsnaptest

var tags = []string{"wasmtime"}
