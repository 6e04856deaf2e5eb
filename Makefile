# Everything starts here: `make run`, `make test`, `make check`. Nothing has to be installed or edited before, but
# Python >= 3.11 with its venv module. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The first Python that is new enough; `make PYTHON=/path/to/python3.12 ...` chooses another.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$python"; break; fi; done)

VENV := .venv
BIN := $(VENV)/bin
STATE := .run
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
PYTEST_ARGS ?=
# More than two cores need: scenarios wait on sockets and databases a good part of their time.
WORKERS ?= 3

# Of `make load`, `make chaos`, `make soak`, `make races`, `make proof`, `make wipe`. CUSTOMERS: instead of the profile's.
SEEDS ?= 10000
TIMES ?= 3
CONVERSATIONS ?= 10000
PROFILE ?= steady
DURATION ?= 1m
NODES ?= 2
SEED ?= 1
FAULTS ?=
MINUTES ?=
SOCKETS ?= 1000
CUSTOMERS ?=
REPORTS ?= .reports

IN_PLACE := $(PIP) install --no-deps --no-build-isolation --editable .

# A stamp per lock file, named by its content: an unchanged lock costs nothing, a changed one installs again.
key = $(firstword $(shell cat $(1) 2>/dev/null | sha256sum | cut -c1-16))
RUN_STAMP := $(VENV)/.installed-run-$(call key,requirements/run.txt requirements/build.txt pyproject.toml)
EMBEDDED_STAMP := $(VENV)/.installed-embedded-$(call key,requirements/embedded.txt)
DEV_STAMP := $(VENV)/.installed-dev-$(call key,requirements/dev.txt requirements/embedded.txt pyproject.toml)
NODE_STAMP := $(VENV)/.installed-node-$(call key,requirements/node.txt)
NPM_STAMP := web/node_modules/.installed-$(call key,web/package-lock.json)
# The pages by what they are built from: everything in web/ that goes into them, and the protocol, which gives them types.
PAGES_STAMP := server/pages/.built-$(firstword $(shell find web protocol \( -name node_modules -o -name test \
	-o -name __pycache__ \) -prune -o -type f ! -path web/shared/src/protocol.ts -print0 \
	| LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16))

.PHONY: help setup web run test test-wheels check format bench load chaos soak races proof wipe doctor clean-dev coverage-doc lock

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

setup: $(DEV_STAMP) ## make .venv with everything for running, testing and checking

web: $(PAGES_STAMP) ## build the pages for browsers: desk, widget, demo shop

run: $(RUN_STAMP) $(PAGES_STAMP) ## start Pointsman with private servers, demo data and demo traffic
	@lacking="$$($(BIN)/python -m server.embedded.missing "$${POINTSMAN_DATABASE_URL:-}" "$${POINTSMAN_REDIS_URL:-}")"; \
	if [[ -n "$$lacking" || "$${POINTSMAN_EMBEDDED:-}" == wheels ]]; then \
		$(MAKE) --no-print-directory $(EMBEDDED_STAMP); \
	fi
	@exec $(BIN)/pointsman demo

test: $(DEV_STAMP) $(PAGES_STAMP) ## run the whole test suite
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

test-wheels: $(DEV_STAMP) $(PAGES_STAMP) ## run the suite on the servers from the wheels (PostgreSQL 18, Valkey 9)
	POINTSMAN_EMBEDDED=wheels $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

check: $(DEV_STAMP) $(PAGES_STAMP) ## formatting, lint, types, import rules, dependencies, coverage table; the same for web/
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m tests.coverage_doc --check
	@$(with_node) npm --prefix web run --silent types
	@$(with_node) npm --prefix web run --silent lint
	@$(with_node) npm --prefix web run --silent test

format: $(DEV_STAMP) ## format, and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(DEV_STAMP) ## measure the product, the limits and its peers side by side
	$(BIN)/python -m loadtest bench

load: $(DEV_STAMP) ## realistic load, everything checked: PROFILE=steady|morning|promotion|storm|slow DURATION=5m NODES=2 SEED=1
	$(BIN)/python -m loadtest load --profile $(PROFILE) --duration $(DURATION) --nodes $(NODES) --seed $(SEED) --report $(REPORTS)

chaos: $(DEV_STAMP) ## every fault under load, everything checked: FAULTS=1,2 MINUTES=30 (mixed) NODES=2 SEED=1 SOCKETS=5000 CUSTOMERS=90
	$(BIN)/python -m loadtest chaos $(if $(FAULTS),--faults $(FAULTS)) $(if $(MINUTES),--minutes $(MINUTES)) --sockets $(SOCKETS) $(if $(CUSTOMERS),--customers $(CUSTOMERS)) --nodes $(NODES) --seed $(SEED) --report $(REPORTS)

soak: $(DEV_STAMP) ## half the capacity and random faults for DURATION=1h; memory, tasks, sockets, keys back at the baseline
	$(BIN)/python -m loadtest soak --duration $(DURATION) $(if $(CUSTOMERS),--customers $(CUSTOMERS)) --nodes $(NODES) --seed $(SEED) --report $(REPORTS)

races: $(DEV_STAMP) ## two want the same at the same time, on two nodes: exactly one gets it: SEEDS=10000
	$(BIN)/python -m loadtest races --seeds $(SEEDS) --json $(REPORTS)/races.json

proof: $(DEV_STAMP) ## builds that are broken on purpose are caught by the checker, every time: TIMES=3
	$(BIN)/python -m loadtest proof --times $(TIMES) --json $(REPORTS)/proof.json

wipe: $(DEV_STAMP) ## Redis comes back empty in the middle of CONVERSATIONS=10000 open conversations; nothing may be lost
	$(BIN)/python -m loadtest wipe --conversations $(CONVERSATIONS) --json $(REPORTS)/wipe.json

doctor: ## say what this machine lacks, and how to mend it
	@if [[ -x $(BIN)/python ]]; then $(BIN)/python -m server.embedded.doctor; \
	elif [[ -n "$(PYTHON)" ]]; then $(PYTHON) -m server.embedded.doctor; \
	else $(no_python); fi

clean-dev: ## delete the development data of `make run`
	@if [[ -x $(BIN)/python ]]; then $(BIN)/python -m server.embedded.clean $(STATE); \
	else $(PYTHON) -m server.embedded.clean $(STATE); fi

coverage-doc: $(DEV_STAMP) ## write docs/coverage.md: which test proves which requirement
	$(BIN)/python -m tests.coverage_doc

lock: $(DEV_STAMP) ## write the lock files anew from pyproject.toml (existing pins stay where they fit)
	$(PIP) install 'uv>=0.13,<0.14'
	$(COMPILE) -o requirements/run.txt
	$(COMPILE) -c requirements/run.txt --extra embedded -o requirements/embedded.txt
	$(COMPILE) -c requirements/run.txt --group dev -o requirements/dev.txt
	$(COMPILE_GROUP) -c requirements/dev.txt --group build -o requirements/build.txt
	$(COMPILE_GROUP) -c requirements/dev.txt --group node -o requirements/node.txt

COMPILE_GROUP := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet
COMPILE := $(COMPILE_GROUP) pyproject.toml

define no_python
{ echo "Pointsman needs Python 3.11 or newer: install it (Debian 12: apt-get install python3 python3-venv)," \
	"or name one: make PYTHON=/path/to/python3.12" >&2; exit 1; }
endef

# The machine's Node.js if it is new enough, else the one that PyPI has.
new_node = command -v npm >/dev/null && node -e '\
	const [major, minor] = process.versions.node.split(".").map(Number); \
	process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
with_node = $(new_node) || export PATH="$(CURDIR)/$(BIN):$$PATH";

# pip comes with the environment; Debian keeps what makes it in a package of its own.
$(BIN)/python:
	@[[ -n "$(PYTHON)" ]] || $(no_python)
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)

$(RUN_STAMP): | $(BIN)/python
	@echo "Installing requirements/run.txt ..."
	@$(PIP) install -r requirements/run.txt -r requirements/build.txt
	@$(IN_PLACE)
	@rm -f $(VENV)/.installed-run-* && touch $@

$(EMBEDDED_STAMP): | $(BIN)/python
	@echo "Installing requirements/embedded.txt (PostgreSQL and Valkey, since none is installed) ..."
	@$(PIP) install -r requirements/embedded.txt
	@rm -f $(VENV)/.installed-embedded-* && touch $@

$(DEV_STAMP): | $(BIN)/python
	@echo "Installing requirements/dev.txt and requirements/embedded.txt ..."
	@$(PIP) install -r requirements/dev.txt -r requirements/embedded.txt
	@$(IN_PLACE)
	@rm -f $(VENV)/.installed-* && touch $@ $(RUN_STAMP) $(EMBEDDED_STAMP)

$(NODE_STAMP): | $(BIN)/python
	@echo "Installing requirements/node.txt (Node.js, since none >= 20.19 is installed) ..."
	@$(PIP) install -r requirements/node.txt
	@rm -f $(VENV)/.installed-node-* && touch $@

$(NPM_STAMP): | $(BIN)/python
	@$(new_node) || $(MAKE) --no-print-directory $(NODE_STAMP)
	@echo "Installing web/package-lock.json ..."
	@$(with_node) cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@rm -f web/node_modules/.installed-* && touch $@

# Types first: the pages are checked against the protocol as it is now.
$(PAGES_STAMP): $(NPM_STAMP) | $(RUN_STAMP)
	@echo "Building the pages for browsers ..."
	@$(BIN)/python -m protocol.schema typescript > web/shared/src/protocol.ts
	@$(with_node) cd web && npm run --silent build
	@rm -f server/pages/.built-* && touch $@
