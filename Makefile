# The commands of the project. Each target installs what it needs.
PYTHON ?= python3.11
BIN := .venv/bin
SAMPLE := --env=sample

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow lint lock viz ui app bench clean

help:  ## List these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

install: .venv/.installed  ## Create .venv from requirements.lock

demo: install  ## Run the whole experiment on the drawn sample (ten minutes on two cores)
	$(BIN)/kedro run $(SAMPLE)

test: install  ## Run the linters and the tests, with coverage
	$(MAKE) lint
	$(BIN)/python -m pytest -m "not slow" --cov --cov-report=term:skip-covered

# pytest exits with 5 when no test is marked.
test-slow: install  ## Run the tests marked `slow`
	$(BIN)/python -m pytest -m slow || [ $$? -eq 5 ]

lint: install  ## Run ruff, mypy --strict and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: install  ## Update requirements.lock from pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --extra dev --extra ray --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options --no-header --annotation-style=line -o requirements.lock pyproject.toml

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
