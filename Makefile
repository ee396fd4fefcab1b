# Two commands matter: `make audit` and `make test`. Everything they need is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: audit install test lint bench calibrate browser clean

audit: install
	$(BIN)/evenhand models fetch smollm2-135m
	$(BIN)/evenhand run probes/audits/first.yaml --out audits/first

install: $(VENV)/.installed

test: $(VENV)/.installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Beside its peers, in an environment of theirs that is built once; then what has no peer. For the table alone, such as
# the quick one: .venv/bin/python -m tests.bench --quick
bench: $(VENV)/.installed-dev
	$(BIN)/python -m tests.bench --all

# What the tests of the dashboard click in; they are skipped, and say so, where it is not.
browser:
	@command -v chromium >/dev/null || { apt-get --quiet=2 update && apt-get --quiet=2 install --yes chromium >/dev/null; } \
	  || echo "chromium could not be installed (as root, on Debian): the browser tests will be skipped"

calibrate: install
	$(BIN)/evenhand calibrate --out calibration

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) --editable '.[pdf,sign]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache
