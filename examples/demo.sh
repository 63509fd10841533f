#!/usr/bin/env bash
# Runs programs of several languages, most of them written by nobody here, on a
# real text, and verifies every receipt on a second engine. See `make demo`.
set -euo pipefail
cd "$(dirname "$0")/.."

carrel=$PWD/bin/carrel
programs=.cache/programs
work=.cache/demo
rm -rf "$work/out" "$work/text"
mkdir -p "$work/out" "$work/text"
cp "$(go env GOROOT)/src/testdata/Isaac.Newton-Opticks.txt" "$work/text/opticks.txt"
export CARREL_HOME=$PWD/$work/home
[ -d "$CARREL_HOME/keys" ] || "$carrel" keys create demo >/dev/null

# The first engine runs, the second one verifies.
engines=$("$carrel" version | sed -n 's/^engines *//p')
read -r first second _ <<<"$engines"

bold= dim= plain=
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi

cat <<END
${bold}Carrel${plain} runs programs sealed in, on $(wc -c <"$work/text/opticks.txt") bytes of Isaac Newton's Opticks.
Run on $first, verified on $second. The first time each program is compiled.

END

table=
seconds() { local n=$(($(date +%s%N) - $1)); printf '%d.%d s' $((n / 1000000000)) $((n / 100000000 % 10)); }

# act NAME LANGUAGE EXIT-CODE FLAGS... -- PROGRAM ARG... : runs, shows, verifies
act() {
	local name=$1 language=$2 want=$3 flags=() began code fuel ran verdict
	shift 3
	while [ "$1" != -- ]; do flags+=("$1"); shift; done
	shift
	local title="$name, in $language"
	local shown="${flags[*]} $(basename "$1") ${*:2}"
	shown=${shown//$work\//} shown=${shown//$programs\//}
	printf '%s%s%s\n%s  $ carrel run %s%s\n' "$bold" "$title" "$plain" "$dim" "$shown" "$plain"

	began=$(date +%s%N)
	code=0
	"$carrel" run --engine "$first" --stats --receipt "$work/$name.json" "${flags[@]}" "$@" >"$work/stdout" 2>"$work/stderr" || code=$?
	ran=$(seconds "$began")
	sed 's/^/  | /' "$work/stdout" | head -8
	if [ "$code" != "$want" ]; then
		echo "  exit code $code, not $want:"
		cat "$work/stderr"
		exit 1
	fi
	if [ "$code" != 0 ]; then sed -n 's/^carrel: .*programs./  | /p' "$work/stderr"; fi
	fuel=$(sed -n 's/^fuel *\(.*\) of .*/\1/p' "$work/stderr")

	began=$(date +%s%N)
	verdict=$("$carrel" verify --engine "$second" "$work/$name.json") || { echo "$verdict"; exit 1; }
	printf '%s  exit code %s, %s fuel, %s; verified: %s, %s%s\n\n' "$dim" "$code" "$fuel" "$ran" "${verdict%%:*}" "$(seconds "$began")" "$plain"
	table+=$(printf '  %-10s %-10s %4s %16s   %s' "$name" "$language" "$code" "$fuel" "${verdict%%:*}")$'\n'
}

text=(--dir "$work/text:/text")
act words Go 0 "${text[@]}" -- .cache/examples/words.wasm -n 4 /text/opticks.txt
act ripgrep Rust 0 "${text[@]}" -- $programs/rg.wasm --no-config -n -m 4 'Colours.*Prism' /text/opticks.txt
act sqlite C 0 "${text[@]}" -- $programs/sqlite.wasm -batch <examples/demo/lines.sql
act python Python 0 "${text[@]}" --dir examples/demo:/demo --dir "$work/out:/out:rw" --tar $programs/python.tar -- $programs/python.wasm /demo/sentences.py
act endless Python 152 --fuel 2G --tar $programs/python.tar -- $programs/python.wasm -c 'while True: pass'

printf '%sAll of it%s\n  %-10s %-10s %4s %16s   %s\n%s\n' "$bold" "$plain" program language exit fuel "on $second" "$table"
cat <<END
What Python wrote was written back:  $work/out/colours.csv
Receipts are beside it. Look at one: CARREL_HOME=$work/home bin/carrel receipt show $work/python.json
Somebody else can verify a bundle:   CARREL_HOME=$work/home bin/carrel receipt export -o python.bundle $work/python.json
END
