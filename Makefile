# make            what there is to make
# make test       all that must hold before a change goes in; CI runs the same

SHELL      := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
GOFMT    := $(shell $(GO) env GOROOT)/bin/gofmt
FUZZTIME ?= 30s
LINT     := .tools/lint

# testdata/ is not part of ./..., but what tests stand on is tested as well.
PACKAGES := ./... ./testdata/modelserver/... ./testdata/disk/...
REAL     := $(wildcard testdata/real/*_test.go)
# Packages whose tests rewrite what they expect when GATEWAY_UPDATE=1.
GOLDEN   := $(sort $(dir $(shell grep -rl --include='*_test.go' GATEWAY_UPDATE cmd engine)))

.PHONY: help build demo generate test check unit goldens real bench fuzz golden lint

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

build: ## build bin/gateway, stamped with version and commit
	$(GO) build -trimpath -buildvcs=auto -o bin/gateway ./cmd/gateway

demo: build ## see it work, with nothing installed
	@bin/gateway demo

generate: ## make of schema/schema.cue what follows from it: types, tables, reference
	$(GO) generate ./...

test: check unit goldens $(if $(REAL),real) ## run all that CI runs (with real CLIs: node 20 and npm are needed)

check: ## look at the sources only: format, vet for three systems, specs
	@unformatted=$$($(GOFMT) -l cmd engine schema specs testdata); [ -z "$$unformatted" ] || { echo "gofmt -w these files:"; echo "$$unformatted"; exit 1; }
	$(GO) vet $(PACKAGES) $(if $(REAL),./testdata/real/...)
	GOOS=darwin $(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	@$(MAKE) --no-print-directory lint
	$(GO) run ./schema/gen -check
	$(GO) run ./cmd/gateway vet --strict --coverage specs cmd/gateway/demo.cue
	$(GO) run ./cmd/gateway fmt --check specs cmd/gateway/demo.cue schema/schema.cue schema/starter

# Each command of a script is a process: under the race detector all of them would start ten
# times as slowly, and concurrent code is covered by the tests of the packages.
unit: ## run the tests with the race detector
	$(GO) test -race -skip '^TestScript$$' $(PACKAGES)
	$(GO) test -run '^TestScript$$' ./cmd/gateway

goldens: ## check that rewriting the expected outputs changes nothing
	@state() { git status --porcelain; git diff | cksum; }; \
	before=$$(state); \
	GATEWAY_UPDATE=1 $(GO) test -count=1 $(addprefix ./,$(GOLDEN)) || exit 1; \
	after=$$(state); \
	[ "$$before" = "$$after" ] || { echo "expected outputs are not what the tests give:"; git status --short; git diff | head -100; exit 1; }

golden: ## rewrite the expected outputs; review the diff
	GATEWAY_UPDATE=1 $(GO) test -count=1 $(addprefix ./,$(GOLDEN))
	@git status --short

real: ## run the real CLIs against a local model server (installs them into .clis)
	testdata/real/install.sh
	$(GO) test -count=1 -timeout 30m ./testdata/real/...

bench: ## run the benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## run every fuzz target for FUZZTIME (30s)
	@grep -rE --include='*_test.go' '^func Fuzz' cmd engine testdata | sed -E 's/^(.*)\/[^/]*:func (Fuzz[A-Za-z0-9_]*).*/\1 \2/' | while read -r package target; do \
		echo "$$package $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) "./$$package" || exit 1; done

# Its own module: what it needs is not the gateway's. go vet keeps what it found.
$(LINT): testdata/lint/main.go testdata/lint/errcheck.txt testdata/lint/go.mod
	cd testdata/lint && $(GO) build -trimpath -o ../../$@ .

lint: $(LINT) ## look for mistakes: staticcheck, errcheck and others (built once, in half a minute)
	$(GO) vet -vettool=$(CURDIR)/$(LINT) $(PACKAGES)
