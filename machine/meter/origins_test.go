package meter

import (
	"bytes"
	"testing"

	"carrel/machine/machinetest/wasmgen"
)

// What is said to be the program's own code is, byte for byte, and all of what
// is written for a function has an origin in that function.
func TestOrigins(t *testing.T) {
	for seed := range uint64(200) {
		wasm := wasmgen.Generate(seed, wasmgen.Options{})
		module, err := Rewrite(wasm)
		if err != nil {
			t.Fatal(err)
		}
		p := decode(wasm)
		for n, f := range module.Functions {
			origins, err := FindOrigins(wasm, func(function uint32) bool { return function == f.Index })
			if err != nil {
				t.Fatal(err)
			}
			if origins.code != module.Layout.Code {
				t.Fatalf("seed %d: the code is at %d, not %d", seed, origins.code, module.Layout.Code)
			}
			body, rest := p.bodies[n], origins.marks
			for ; len(rest) > 1; rest = rest[1:] {
				m := rest[0]
				size := rest[1].at - m.at
				written := module.Wasm[origins.code+m.at:][:size]
				if m.same && !bytes.Equal(written, wasm[m.from:][:size]) {
					t.Fatalf("seed %d: function %d has other code at %d than the program at %d", seed, f.Index, m.at, m.from)
				}
				for at := origins.code + m.at; at < origins.code+m.at+size; at++ {
					if from, ok := origins.Of(at); !ok || from < body.start || from >= body.end {
						t.Fatalf("seed %d: function %d: %d comes from %d", seed, f.Index, at, from)
					}
				}
			}
			if _, ok := origins.Of(origins.code + rest[0].at); ok {
				t.Fatalf("seed %d: what is after function %d comes from it", seed, f.Index)
			}
		}
	}
}
