#!/usr/bin/env bash
# Measures engines of JavaScript side by side in one run, and writes
# docs/benchmarks/engines.md. `make bench-js` calls it; arguments go to the program
# (see `-help`). What is not there is left out: our own engine (make engine), whose
# source native QuickJS is built from too, and XS (make xsnap).
set -euo pipefail
cd "$(dirname "$0")/.."

command -v gcc >/dev/null || { echo "make bench-js needs gcc: native QuickJS is built with it" >&2; exit 1; }

dir=.cache/bench
mkdir -p "$dir"
(cd bench/goja && go build -trimpath -o "../../$dir/goja" .)

source=$(compgen -G '.cache/engine/quickjs-*/' || true)
if [ -n "$source" ] && [ ! -e "$dir/qjs" ]; then
	echo 'const unsigned qjsc_repl_size = 0; const unsigned char qjsc_repl[1];' >"$dir/repl.c"
	(cd "$source" && gcc -O2 -D_GNU_SOURCE '-DCONFIG_VERSION="native"' -o "$OLDPWD/$dir/qjs" \
		qjs.c quickjs.c quickjs-libc.c cutils.c dtoa.c libregexp.c libunicode.c "$OLDPWD/$dir/repl.c" -lm -ldl -lpthread)
fi

tags=
if command -v "$(go env CC)" >/dev/null && [ "$(go env CGO_ENABLED)" = 1 ]; then tags=wasmtime; fi
go build -trimpath -tags "$tags" -o bin/bench ./bench
exec bin/bench -js -dir "$dir" -page docs/benchmarks/engines.md "$@"
