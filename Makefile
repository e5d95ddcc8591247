# Everything a newcomer types. Each target does all of its own set-up.
PYTHON ?= python3.11
BIN := .venv/bin
SAMPLE := --env=sample

.DEFAULT_GOAL := help
.PHONY: help install demo test test-slow lint lock viz ui app bench clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */  make \1\t/' | expand -t 20

.venv/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -r requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

install: .venv/.installed  ## Make .venv from the lock file

demo: install  ## The whole report on the generated sample: minutes on two cores
	$(BIN)/kedro run $(SAMPLE)

test: install  ## Lint, types, layers and the test suite with coverage
	$(MAKE) lint
	$(BIN)/python -m pytest -m "not slow" --cov --cov-report=term:skip-covered

test-slow: install  ## The tests that take longer
	$(BIN)/python -m pytest -m slow

lint: install  ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: install  ## Resolve requirements.lock anew from pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade --extra dev --strip-extras --allow-unsafe --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options --no-header --annotation-style=line -o requirements.lock pyproject.toml

viz: install  ## Kedro-Viz: the pipelines, drawn
	$(BIN)/kedro viz run $(SAMPLE)

ui: export PATH := $(CURDIR)/$(BIN):$(PATH)
ui: install  ## The MLflow UI: compare the models
	$(BIN)/kedro mlflow ui $(SAMPLE)

app: install  ## The web page: upload a photo, see its portraits
	$(BIN)/kedro app $(SAMPLE)

bench: install  ## Measure speed and memory beside plain references
	$(BIN)/python -m benchmarks

clean:  ## Remove caches, not data
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .coverage build
