#!/usr/bin/env bash
# Measures Zencode beside npm's zenroom under node, in turns, and prints the medians.
# `make bench-zencode` calls it; docs/benchmarks/zencode.md has what it printed.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-5}
dir=.cache/bench
mkdir -p "$dir"
tags=
if command -v "$(go env CC)" >/dev/null && [ "$(go env CGO_ENABLED)" = 1 ]; then tags=wasmtime; fi
go test -c -tags "$tags" -o "$dir/zencode.test" ./guest/zencode
go test -c -tags "$tags" -o "$dir/nxcc.test" ./cmd/nxcc-zenroom-vm

all="$dir/zencode.txt"
: >"$all"
for round in $(seq "$rounds"); do
	echo "round $round of $rounds" >&2
	node bench/zencode.mjs | sed 's/^/node /' >>"$all"
	(cd guest/zencode && "../../$dir/zencode.test" -test.run '^$' -test.bench 'Run|Prepared' -test.benchtime 100x) |
		awk '/^Benchmark/ { split($1, p, "/"); sub(/-[0-9]+$/, "", p[3]); cpu = "-"; for (i = 3; i < NF; i++) if ($(i + 1) == "cpu-ns/op") cpu = $i
			sub(/^Benchmark/, "", p[1]); print p[3] "-" tolower(p[1]), p[2], cpu, $3 }' >>"$all"
	(cd cmd/nxcc-zenroom-vm && for bench in 'prepared 100x' 'hundred 3x'; do
		"../../$dir/nxcc.test" -test.run '^$' -test.bench "Invoke/${bench% *}" -test.benchtime "${bench#* }"
	done) |
		awk '/^Benchmark/ { split($1, p, "/"); sub(/-[0-9]+$/, "", p[2]); print "service-" p[2], "hello", "-", $3 }' >>"$all"
done

# Medians by contestant and script, and processor time over node's.
sort "$all" | awk '
	function median(list, n,   values, i, j, v) {
		n = split(list, values, " ")
		for (i = 2; i <= n; i++) { v = values[i] + 0; for (j = i - 1; j > 0 && values[j] + 0 > v; j--) values[j + 1] = values[j]; values[j + 1] = v }
		return n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
	}
	{ key = $1 " " $2; if (!(key in wall)) order[++keys] = key; wall[key] = wall[key] " " $4; if ($3 != "-") cpu[key] = cpu[key] " " $3 }
	END {
		print "| | script | wall, ms | processor, ms | over node |"
		print "|---|---|---|---|---|"
		for (k = 1; k <= keys; k++) {
			key = order[k]; split(key, p, " "); c = ""; ratio = ""
			if (key in cpu) { m = median(cpu[key]); c = sprintf("%.1f", m / 1e6); ratio = sprintf("%.2f", m / median(cpu["node " p[2]])) }
			printf "| %s | %s | %.1f | %s | %s |\n", p[1], p[2], median(wall[key]) / 1e6, c, ratio
		}
	}'
