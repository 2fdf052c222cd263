# make serve    the server with its own MongoDB and demo accounts, on http://127.0.0.1:8000/fhir
# make test     the whole test suite on a real MongoDB replica set
# Both install what they need first; nothing is installed twice. `make help` lists the rest.

HOST ?= 127.0.0.1
PORT ?= 8000
VENV ?= .venv
ARGS ?=
# Each test waits for the database a third of its time: three at once keep two cores busy.
JOBS ?= 3
export VENV

BIN := $(VENV)/bin
APART := --ignore=tests/browser --ignore=tests/clients --ignore=tests/cabinet
# What pytest ends with where no test was asked for.
NONE := 5
CODE := fhir_server tests scripts $(wildcard bench)

.DEFAULT_GOAL := help
.PHONY: help install install-all serve serve-open seed doctor test test-slow test-browser test-clients arch lint format types check \
	generated generate bench postman lock clean

help:  ## What can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo "  Variables: HOST, PORT, ARGS (further options or test files), JOBS (of tests), PYTHON, VENV"

install:  ## Make the virtual environment with what the server needs
	@scripts/install serve

install-all:  ## The same and what tests and checks need
	@scripts/install all

serve: install  ## Run the server for this machine, with demo accounts, an app and tokens
	@exec $(BIN)/fhir-server serve --demo --host $(HOST) --port $(PORT) $(ARGS)

serve-open: install  ## Run the server without access control, for this machine alone
	@exec $(BIN)/fhir-server serve --insecure-no-auth --host $(HOST) --port $(PORT) $(ARGS)

seed: install  ## Load seed_bundles/ again
	@$(BIN)/fhir-server seed $(ARGS)

doctor: install  ## Say what is missing on this machine
	@$(BIN)/fhir-server doctor $(ARGS)

# Tests start dozens of servers, of which each would compile all modules anew.
test test-slow test-browser test-clients: export PYTHONDONTWRITEBYTECODE :=

test: install-all  ## Run the tests, but for the slow ones and those that need a browser or clients
	@echo "Apart from these: make test-slow, make test-browser, make test-clients"
	@$(BIN)/python -m pytest -m "alone and not slow" $(APART) $(ARGS) || [ $$? = $(NONE) ]
	@$(BIN)/python -m pytest -m "not alone and not slow" $(APART) -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

test-slow: install-all  ## Run the tests that kill and restart servers, a minute or two
	@$(BIN)/python -m pytest -m slow $(ARGS)

test-browser: install-all  ## Run the tests of the pages in Chromium (needs chromium and node)
	@if command -v npm >/dev/null; then npm ci --silent --prefix tests/browser; fi
	@$(BIN)/python -m pytest tests/browser tests/cabinet $(ARGS)

test-clients: install-all  ## Try the server with clients that others wrote (needs chromium and node)
	@scripts/install clients
	@if command -v npm >/dev/null; then npm ci --silent --prefix tests/browser && \
		npm ci --silent --prefix tests/clients; fi
	@$(BIN)/python -m pytest tests/clients $(ARGS)

arch: install-all  ## Run the tests of the architecture alone
	@$(BIN)/python -m pytest tests/arch $(ARGS)

lint: install-all  ## Check form and style
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)

format: install-all  ## Put form and style right
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

types: install-all  ## Check types
	@$(BIN)/mypy $(CODE)

generated: install-all  ## Check that generated files are current
	@scripts/generated --check

generate: install-all  ## Write generated files anew
	@scripts/generated

check: lint types generated arch  ## Everything but the tests

bench: install-all  ## Measure the server beside its ceiling
	@$(BIN)/python -m bench $(ARGS)

lock: install-all  ## Resolve the locks anew
	@scripts/lock

clean:  ## Remove the virtual environment and caches; data stays
	rm -rf $(VENV) .venv-clients build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find fhir_server tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +
