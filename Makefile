# The commands of the project. Each target installs what it needs.
#
# PYTHON=/path/to/python overrides the choice: the first of these that runs and has what is needed.
CANDIDATES := $(or $(PYTHON),python3.11 python3.12 python3.13 python3)
PROBE := import ensurepip, sqlite3, ssl, sys, venv; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
BIN := .venv/bin
SAMPLE := --env=sample
# One lock for Linux, macOS and Windows, for Python 3.11 to 3.13, and no word of where it was made.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header \
	--annotation-style line --no-emit-index-url --no-emit-find-links

.DEFAULT_GOAL := help
.PHONY: help install tools demo test test-slow lint lock docs viz ui app bench clean

help:  ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

# A name such as python3.12 may be there and not run, so each is tried before one is chosen.
.venv/bin/python:
	@for python in $(CANDIDATES); do \
		if "$$python" -c "$(PROBE)" >/dev/null 2>&1; then exec "$$python" -m venv .venv; fi; \
	done; \
	echo "error: no Python 3.11, 3.12 or 3.13 with venv, ssl and sqlite3 among: $(CANDIDATES)." \
		"Install one (Debian: apt install python3-venv) or name it: make install PYTHON=/path/to/python" >&2; \
	exit 1

.venv/.installed: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing 220 packages; on Linux 4 of 6 GB are PyTorch's for GPUs (README says how to go without)"
	$(BIN)/python -m pip install -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.tools: requirements-dev.lock .venv/.installed
	$(BIN)/python -m pip install --quiet -r requirements-dev.lock
	@touch $@

install: .venv/.installed  ## Create .venv from requirements.lock: pipelines, web page, cluster

tools: .venv/.tools  ## Add what the tests and linters take, from requirements-dev.lock

demo: install  ## Run the whole experiment on the drawn sample (ten minutes on two cores)
	$(BIN)/kedro run $(SAMPLE)
	$(BIN)/python docs/images/portrait.py data/08_reporting/sample/portrait.jpg

# A file of tests stays in one process, which keeps what it shares; more than four take too much memory.
test: tools  ## Run the linters and the tests, with coverage
	$(MAKE) lint
	$(BIN)/python -m pytest -m "not slow" --numprocesses=auto --maxprocesses=4 --dist=loadfile --cov --cov-report=term:skip-covered

# pytest exits with 5 when no test is marked.
test-slow: tools  ## Run the tests marked `slow`
	$(BIN)/python -m pytest -m slow || [ $$? -eq 5 ]

lint: tools  ## Run ruff, mypy --strict and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: tools  ## Build the site of docs/ in build/docs; whatever leads nowhere is an error
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/docs

lock: tools  ## Update both locks from pyproject.toml
	$(COMPILE) --upgrade --extra train --extra app --extra ray -o requirements.lock pyproject.toml
	cp requirements.lock requirements-dev.lock
	$(COMPILE) --extra train --extra app --extra ray --extra dev -o requirements-dev.lock pyproject.toml

viz: install  ## Open Kedro-Viz, which draws the pipelines
	$(BIN)/kedro viz run $(SAMPLE)

ui: export PATH := $(CURDIR)/$(BIN):$(PATH)
ui: install  ## Open the MLflow UI to compare the models
	$(BIN)/kedro mlflow ui $(SAMPLE)

app: install  ## Open the web page: upload a photo, see its portraits
	$(BIN)/kedro app $(SAMPLE)

bench: install  ## Measure speed and memory of our code and of plain references
	$(BIN)/python -m benchmarks

clean:  ## Remove caches; data stays
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage build
