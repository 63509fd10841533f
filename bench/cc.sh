#!/usr/bin/env bash
# Measures carrel cc against native clang 22, side by side in one run, and writes
# docs/benchmarks/cc.md. `make bench-cc` calls it; arguments go to the program
# (see `-help`).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v clang-22 >/dev/null || { echo "make bench-cc needs clang-22, to compare with (Debian: clang-22)" >&2; exit 1; }

dir=.cache/bench
mkdir -p "$dir"
CARREL_HOME=$dir/home bin/carrel guest fetch clang

tags=
if command -v "$(go env CC)" >/dev/null && [ "$(go env CGO_ENABLED)" = 1 ]; then tags=wasmtime; fi
go build -trimpath -tags "$tags" -o bin/bench ./bench
exec bin/bench -cc -dir "$dir" -carrel bin/carrel -page docs/benchmarks/cc.md "$@"
