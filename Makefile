# Every target does the set-up it needs. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
LINKS := $(addprefix --find-links ,$(PIP_FIND_LINKS))
UV_INSTALL := $(BIN)/uv pip install --python $(BIN)/python --compile-bytecode

.DEFAULT_GOAL := help
.PHONY: help setup demo test check prove clean lock
.DELETE_ON_ERROR:

help:
	@echo "make demo    run a whole trading day on real bars"
	@echo "make test    run the tests"
	@echo "make check   format, lint, types"
	@echo "make prove   the slow proofs and the benchmarks"
	@echo "make setup   only install, into .venv"
	@echo "make lock    resolve requirements.lock again, keeping the versions it has"
	@echo "make clean   remove .venv, var and caches"

setup: $(READY)

demo: $(READY)
	$(BIN)/tandem demo

test: $(READY)
	$(BIN)/pytest -m "not slow"

check: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

prove: $(READY)
	$(BIN)/pytest -m slow
	set -e; for benchmark in $(filter-out %/figures.py,$(wildcard benchmarks/*.py)); do $(BIN)/python $$benchmark; done

clean:
	rm -rf .venv var dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Where PyTorch's CPU build is not at hand through PIP_FIND_LINKS, uv knows where to look for it; a plain
# install (with CUDA on Linux) is the last resort. pip stands in where uv has no build for the machine.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Tandem needs Python 3.11 or newer and '$(PYTHON)' is not: make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	@if $(BIN)/python -m pip install --quiet uv==0.13.9; then set -ex; \
	  if [ -n "$(LINKS)" ]; then $(UV_INSTALL) $(LINKS) -r requirements.lock; \
	  else $(UV_INSTALL) --torch-backend cpu -r requirements.lock || $(UV_INSTALL) -r requirements.lock; fi; \
	  $(UV_INSTALL) --no-deps --editable .; \
	else set -ex; \
	  $(BIN)/python -m pip install -r requirements.lock; \
	  $(BIN)/python -m pip install --no-deps --editable .; \
	fi
	@touch $@

# The lock holds no build of PyTorch and none of the accelerator's packages: each machine adds its own.
lock: $(READY)
	cp requirements.lock .venv/lock.txt
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 $(LINKS) \
	  --no-annotate --no-header --quiet --output-file .venv/lock.txt
	grep -Ev '^(cuda|nvidia|triton)-?' .venv/lock.txt | sed -E 's/^(torch==[0-9.]+)\+cpu/\1/' > requirements.lock
