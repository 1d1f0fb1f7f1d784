# Everything a person or a machine does with bookmesh; `make` alone tells what.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# protovalidate's rules are generated too: its Python package has them for another runtime than gRPC's.
PROTOS = $(shell find protos -name '*.proto' | sort)
SOURCES := mesh services clients sandbox bench tests
UV := $(BIN)/uv --quiet --no-config

.PHONY: help
help: ## tell what there is to do
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY) ## start everything, warm a library and search it; ONCE=1 ends after that, LIVE=1 asks the real providers
	@$(BIN)/bookmesh demo $(if $(LIVE),samples/goodreads.csv,samples/library.csv)

.PHONY: test
test: $(READY) ## run every test
	@$(BIN)/pytest -n 2 --dist loadscope -q

.PHONY: check
check: $(READY) ## format, lint, types, import rules, protos, and whether gen/ is fresh
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	$(BIN)/buf breaking --against protos/released.binpb
	@$(MAKE) --no-print-directory fresh

.PHONY: fresh
fresh: $(READY)
	@made=$$(mktemp -d); trap 'rm -rf "$$made"' EXIT; \
	$(MAKE) --no-print-directory generate OUT="$$made"; \
	diff -r "$$made" gen -x __pycache__ > /dev/null || { echo "gen/ is not what protos/ say; run: make proto"; exit 1; }
	@echo "gen/ is fresh"

.PHONY: fix
fix: $(READY) ## format the code and the protos, and mend what the linter can
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/buf format --write

.PHONY: proto
proto: $(READY) ## generate gen/ from protos/
	@rm -rf gen/bookmesh gen/buf
	@$(MAKE) --no-print-directory generate OUT=gen

.PHONY: generate
generate:
	@PATH="$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc --proto_path=protos --python_out=$(OUT) --grpc_python_out=$(OUT) \
	  --mypy_out=readable_stubs,quiet:$(OUT) --mypy_grpc_out=only_async,readable_stubs,quiet:$(OUT) $(PROTOS)

.PHONY: release-protos
release-protos: $(READY) ## freeze the contract as it is; from then on nothing in it may break
	$(BIN)/buf build --exclude-source-info -o protos/released.binpb

.PHONY: bench
bench: $(READY) ## measure a binding beside what one would write instead; ARGS=--json prints JSON
	@$(BIN)/python -m bench $(ARGS)

.PHONY: overhead
overhead: $(READY) ## measure a server's CPU time with every layer on beside that of a bare grpc.aio server
	@$(BIN)/python -m bench.overhead $(ARGS)

.PHONY: hits
hits: $(READY) ## measure a hit in the cache's memory, over the wire beside a bare handler and in process
	@$(BIN)/python -m bench.hits $(ARGS)

.PHONY: outage
outage: $(READY) ## warm a library, take every provider away for an hour, and ask for all of it every five minutes
	@$(BIN)/python -m bench.outage $(ARGS)

.PHONY: rolling
rolling: $(READY) ## restart replicas one after the other under load, three rounds, and count the calls that fail: none
	@$(BIN)/python -m bench.rolling $(ARGS)

.PHONY: quality
quality: $(READY) ## search for the books of a catalogue in every way, and count the right answers; ARGS="--catalog FILE --seed 7"
	@$(BIN)/python -m bench.quality $(ARGS)

.PHONY: stampede
stampede: $(READY) ## let a thousand callers ask one cold key over four processes, and count what the provider sees
	@$(BIN)/python -m bench.stampede $(ARGS)

.PHONY: warming
warming: $(READY) ## warm a library by ISBN and by author on a plan of ISBNdb's, and tell calls and time; ARGS="--catalog FILE"
	@$(BIN)/python -m bench.warming $(ARGS)

.PHONY: beside
beside: $(READY) ## measure how long searches take while a job runs flat out, beside how long they take at rest
	@$(BIN)/python -m bench.beside $(ARGS)

.PHONY: kills
kills: $(READY) ## kill replicas of the warmer thirty times in one job, and count what is lost: nothing
	@$(BIN)/python -m bench.kills $(ARGS)

.PHONY: firings
firings: $(READY) ## let four replicas with differing clocks live through sixty days, and count how often a daily trigger fires
	@$(BIN)/python -m bench.firings $(ARGS)

.PHONY: memory-tier
memory-tier: $(READY) ## offer a million keys to a memory tier of 64 MB; ARGS=--rivals compares policies
	@$(BIN)/python -m bench.memory_tier $(ARGS)

.PHONY: formats
formats: $(READY) ## read a sample of every kind of library, and count the rows that are understood; ARGS="FILE ..." reads others
	@$(BIN)/python -m bench.formats $(ARGS)

.PHONY: million
million: $(READY) ## upload a library of a million rows and plan it, and tell the warmer's speed and memory; ARGS="--rows 50000" is short
	@$(BIN)/python -m bench.million $(ARGS)

.PHONY: chaos
chaos: $(READY) ## break everything in turn, and print what was claimed and what was seen; ARGS="--only provider" breaks less
	@$(BIN)/python -m tests.chaos $(ARGS)

.PHONY: mutate
mutate: $(READY) ## change the circuit breaker's code in every small way, and count the changes that its tests notice
	@rm -rf mutants
	@$(BIN)/mutmut run --max-children 2
	@$(BIN)/python -m bench.mutants

.PHONY: fuzz
fuzz: $(READY) ## send 100,000 mutated requests to every method; ARGS="--requests 5000 --seed 7" sends others
	@$(BIN)/python -m tests.fuzz $(ARGS)

.PHONY: lock
lock: $(READY) ## resolve the dependencies anew into requirements.lock
	$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --upgrade \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links -o requirements.lock

.PHONY: clean
clean: ## remove the environment, the caches and the data of earlier runs
	rm -rf $(VENV) .bookmesh mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The lock pins uv itself with its hashes; pip installs that one package, and uv the rest, exactly as locked.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "bookmesh needs Python 3.11 or later as '$(PYTHON)'; name another with: make PYTHON=python3.12" >&2; exit 1; }
	@[ -w . ] || { echo "bookmesh can't write to $$(pwd), where its environment and data go" >&2; exit 1; }
	@echo "building the environment in $(VENV)" >&2
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	@awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(VENV)/uv.lock
	@$(UV) pip sync --require-hashes requirements.lock
	@$(UV) pip install --no-deps --no-build-isolation -e .
	@touch $(READY)
