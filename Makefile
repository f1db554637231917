# Every command says what it does and works as the first one on a fresh machine.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CLOUD ?= digitalocean
HOSTS ?= auto
RUNS ?= 5
FUZZTIME ?= 10s
BIN := .tools/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  make up CLOUD=hetzner       the other cloud"
	@echo "  make up HOSTS=dry           no Docker: hosts that only record what they are told"

.PHONY: packages
packages: ## install the Debian packages that tests and the simulator use
	@tools/packages.sh

.PHONY: tools
tools: ## build the pinned Pulumi CLI, Compose plugin and Caddy into .tools/
	@tools/build.sh

$(BIN)/construct: FORCE
	@mkdir -p $(BIN)
	@go build -o $@ ./cmd/construct

$(BIN)/program: FORCE
	@mkdir -p $(BIN)
	@go build -o $@ .

.PHONY: FORCE
FORCE:

.PHONY: build
build: $(BIN)/construct $(BIN)/program ## build the program and the construct command

.PHONY: up
up: packages tools build ## bring the five roles up on a simulated cloud (CLOUD=digitalocean|hetzner)
	@$(BIN)/construct sim up --cloud $(CLOUD) --hosts $(HOSTS)

.PHONY: down
down: ## take the simulated deployment down and remove every trace of it
	@if [ -x $(BIN)/construct ]; then $(BIN)/construct sim down; else echo "nothing is up: the construct command was never built"; fi

.PHONY: unit
unit: packages tools build ## fast tests: no engine, no Docker
	@go test -short ./...

.PHONY: test
test: packages tools build lint ## all tests, of the long ones a sample; what CI runs (under 60 minutes on two cores)
	@tools/test.sh

.PHONY: e2e
e2e: packages tools build ## the whole deployment on container hosts, on both clouds
	@CONSTRUCT_EVERY_CLOUD=1 go test -count=1 -timeout 120m -v ./e2e/...

.PHONY: golden
golden: ## rewrite golden files and generated docs from the code
	@go test ./config ./firewall ./stacks ./program ./cmd/construct/initcmd/... -run 'Golden|Reference|ProjectFile|Graph|Documentation|ProductionExample' -update
	@go test ./sim/digitalocean ./sim/hetzner -update

.PHONY: lint
lint: packages ## formatting, vet, linters, shell and workflow checks
	@tools/lint.sh

.PHONY: bench
bench: packages tools build ## medians of preview, first up, no-op up ("name value unit" lines)
	@go run ./e2e/bench --runs $(RUNS)

.PHONY: fuzz
fuzz: packages tools ## every fuzz target for FUZZTIME (default 10s)
	@tools/fuzz.sh $(FUZZTIME)

.PHONY: soak
soak: packages tools build ## the long suites, of which make test runs a sample, and every fuzz target for 10 minutes
	@tools/build.sh otelcol-contrib
	@for tool in hcloud doctl; do tools/build.sh $$tool || echo "soak: without $$tool, whose tests are skipped" >&2; done
	@CONSTRUCT_SOAK=1 go test -count=1 -timeout 170m ./...
	@tools/fuzz.sh 10m
