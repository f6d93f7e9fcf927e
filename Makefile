# The commands of the house. `make` alone lists them.
# PYTHON is the first Python that is new enough; `make PYTHON=/path/to/python ...` names another.
FIND_PYTHON = for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done
PYTHON ?= $(shell $(FIND_PYTHON))
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS   ?=

.DEFAULT_GOAL := help
.PHONY: help setup run test check fmt lint types imports approve generate guide verify bench soak conformance mock lock

help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements.lock pyproject.toml
	@python='$(PYTHON)'; test -x $(BIN)/python || { \
	  test -n "$$python" || { echo "Rekobryggan needs Python 3.11 or newer, and none was found; say: make PYTHON=/path/to/python3.11 ..."; exit 2; }; \
	  "$$python" -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Rekobryggan needs Python 3.11 or newer; this one is " + sys.version.split()[0])' || exit 2; \
	  "$$python" -m venv $(VENV) || { echo "This Python makes no environments: install its venv module (Debian: python3-venv)."; rm -rf $(VENV); exit 2; }; }
	@echo "Installing pinned dependencies (a minute the first time) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP)  ## make .venv with pinned, hashed dependencies

run: $(STAMP)  ## service, mock national services and the sample scenario (ARGS=--once plays it and exits)
	@$(BIN)/reko up $(ARGS)

mock: $(STAMP)  ## the mock national services alone
	@$(BIN)/reko mock $(ARGS)

test: check  ## set-up, lint, types, import rules and all tests

check: lint types imports verify  ## the same by its short name

fmt: $(STAMP)  ## format the code
	@$(BIN)/ruff format -q . && $(BIN)/ruff check -q --fix .

lint: $(STAMP)  ## style and faults
	@$(BIN)/ruff format --check -q . && $(BIN)/ruff check .

types: $(STAMP)  ## mypy, strict
	@MYPYPATH=bench $(BIN)/mypy bench generate
	@$(BIN)/mypy

imports: $(STAMP)  ## who may import whom
	@told=$$($(BIN)/lint-imports --no-logo 2>&1) && echo "$$told" | tail -n 1 || { echo "$$told"; exit 1; }

verify: $(STAMP)  ## all tests (ARGS goes to pytest)
	@$(BIN)/python -m pytest $(ARGS)

approve: $(STAMP)  ## write the golden files as the code says now; read the diff before you commit it
	@REKO_APPROVE=1 $(BIN)/python -m pytest -q tests/golden $(ARGS)

generate: $(STAMP)  ## write docs/settings.md, the OpenAPI and the CapabilityStatement anew
	@$(BIN)/python generate/pages.py

guide: $(STAMP)  ## compile the FHIR profiles (contracts/wire/profiles) with SUSHI; needs npm
	@PYTHONPATH=. $(BIN)/python generate/guide.py

bench: $(STAMP)  ## speed and memory, with the machine's own figures
	@$(BIN)/python bench/run.py $(ARGS)
	@$(BIN)/python bench/arrivals.py
	@$(BIN)/python bench/sjukfall.py
	@$(BIN)/python bench/search.py
	@$(BIN)/python bench/feed.py
	@$(BIN)/python bench/mocks.py
	@$(BIN)/python bench/delivery.py
	@$(BIN)/python bench/records.py

soak: $(STAMP)  ## long runs under faults, resumable (N=1000 is how far, ARGS="kills stops" which parts)
	@$(BIN)/python -m tests.soak.run $(if $(N),-n $(N)) $(ARGS)

conformance: $(STAMP)  ## outside judges and clients of our FHIR; needs npm, Maven and Java
	@PYTHONPATH=. $(BIN)/python tests/conformance/run.py

lock: $(STAMP)  ## pin the dependencies anew, for development and for the image (names no host)
	@set -e; lock="$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet"; \
	$$lock pyproject.toml --group dev -o requirements.lock; \
	$$lock pyproject.toml -c requirements.lock -o docker/requirements.lock; \
	$$lock --group build -c requirements.lock -o docker/build.lock
