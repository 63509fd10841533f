#!/usr/bin/env bash
# Measures Carrel against its peers, side by side in one run, and writes
# docs/benchmarks/contract.md. `make bench` calls it; arguments go to the
# program (see `-help`).
set -euo pipefail
cd "$(dirname "$0")/.."

need() { command -v "$1" >/dev/null || { echo "make bench needs $1: $2" >&2; exit 1; }; }
need gcc "the native kernels are built with it"
need clang "the WebAssembly kernels are built with it"
need wasm-ld "clang links WebAssembly with it (package lld)"
need npm "QuickJS and clang as WebAssembly come from there"

dir=.cache/bench
mkdir -p "$dir" docs/benchmarks
cp bench/npm/package.json bench/npm/package-lock.json "$dir"
[ -e "$dir/node_modules/.package-lock.json" ] ||
	(cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)

tags=
if command -v "$(go env CC)" >/dev/null && [ "$(go env CGO_ENABLED)" = 1 ]; then tags=wasmtime; fi
go build -trimpath -tags "$tags" -o bin/bench ./bench
exec bin/bench -dir "$dir" -npm "$dir/node_modules" -carrel bin/carrel -page docs/benchmarks/contract.md "$@"
