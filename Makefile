# The commands of the house. `make` alone lists them.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt lint types imports approve generate verify bench soak conformance mock lock

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Rekobryggan needs Python 3.11 or newer; say: make PYTHON=python3.11 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing pinned dependencies (a minute the first time) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP)  ## make .venv with pinned, hashed dependencies

run: $(STAMP)  ## service, mock national services and the sample scenario (ARGS=--once plays it and exits)
	@$(BIN)/reko up $(ARGS)

mock: $(STAMP)  ## the mock national services alone
	@$(BIN)/reko mock $(ARGS)

test: check  ## set-up, lint, types, import rules and all tests

check: lint types imports verify  ## the same without looking for a network

fmt: $(STAMP)  ## format the code
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

lint: $(STAMP)  ## style and faults
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check .

types: $(STAMP)  ## mypy, strict
	@$(BIN)/mypy

imports: $(STAMP)  ## who may import whom
	@$(BIN)/lint-imports

verify: $(STAMP)  ## all tests
	@$(BIN)/python -m pytest $(ARGS)

lock:  ## pin the dependencies anew (names no host)
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet -o requirements.lock
