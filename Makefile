# make demo    set up, then a biased model of handwritten digits, and a fairer one
# make test    set up, then all tests
# make test-fast   set up, then all tests but the slow ones, in about half a minute
# make test-browser   set up, install Chromium (Debian's package, if there is none), then the tests of the report in it
# make check   set up, then lint, formatting and types
# make faults  set up, then random kills, full disks, two at once, hostile files (long); prints a table
# make docs    set up, then the site of the documentation in docs/_build (a few minutes)
# make fuzz    set up, then a million changed files for the readers (half an hour or more)
# make wheel   set up, then the wheel and the source archive in dist/, tried in an empty environment
# make clean   remove what the others made
# FAIRDISTILL_DATA=DIR make test   also runs the tests on the real CIFAR-10 files in DIR

PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
.PHONY: help demo test test-fast test-browser check format docs wheel faults fuzz clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"fairdistill needs Python 3.11 or newer; this is {v.major}.{v.minor}. Give one with: make PYTHON=/path/to/python3.11")'
	@echo "Setting up .venv (PyTorch and what it needs, about 2.5 GB; some minutes, once) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: .venv/installed
	@echo "Running: fairdistill demo"
	@$(BIN)/fairdistill demo

test: .venv/installed
	@echo "Running all tests"
	@$(BIN)/python -m tests.parts

test-fast: .venv/installed
	@echo "Running the tests that are not slow (tests/slow.txt)"
	@$(BIN)/python -m tests.parts -m "not slow"

test-browser: .venv/installed
	@command -v chromium >/dev/null || { \
	  echo "Installing Debian's chromium"; apt-get update -qq && apt-get install -y -qq chromium >/dev/null; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,browser]'
	@echo "Running the tests of the report in Chromium"
	@$(BIN)/python -m pytest tests/browser

check: .venv/installed
	@echo "Checking lint, formatting and types"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

fuzz: .venv/installed
	@echo "Reading a million changed files"
	@$(BIN)/python -m tests.fuzzing

format: .venv/installed
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

faults: .venv/installed
	@$(BIN)/python -m tests.faults

docs: .venv/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@echo "Building the site"
	@MPLBACKEND=Agg $(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going -c docs . docs/_build
	@echo "Open docs/_build/index.html"

wheel: .venv/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt build
	@echo "Building the wheel and the source archive"
	@rm -rf dist && $(BIN)/python -m build --outdir dist . >/dev/null
	@$(BIN)/python -m tests.wheel dist

clean:
	rm -rf docs/_build docs/api/generated docs/gallery dist .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis fairdistill-demo
