package main

import "carrel/machine/machinetest/quickjs"

// A guest is an instance of a module in some engine.
type guest interface {
	quickjs.Guest
	close()
}

// A subject is a way to run WebAssembly that is measured against the others.
type subject struct {
	name string
	load func(wasm []byte, imports []quickjs.Import) (guest, error)
}

// valueTypes turns 'i' and 'l' into the bytes of the binary format.
func valueTypes(short string) []byte {
	types := make([]byte, 0, len(short))
	for _, c := range short {
		switch c {
		case 'i':
			types = append(types, 0x7f)
		case 'l':
			types = append(types, 0x7e)
		}
	}
	return types
}
