//go:build engine

package js

import _ "embed"

// scripts/engine builds it, and make build embeds it if it is there.
//
//go:embed engine/engine.wasm
var embedded []byte
