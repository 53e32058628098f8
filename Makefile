# `make run` and `make test` set everything up on a machine that has Python 3.11-3.13 and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIPELINE ?= gzssar
# The environment: KEDRO_ENV where this is empty, else the sample.
ENV ?=
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile
NUMERICAL := $(patsubst %,tests/clips/test_%.py,augment kinematics normalise streams) \
	tests/evidence tests/methods tests/networks tests/zero_shot -k "not ten_seeds"

.PHONY: help run rerun demo test lint viz docs lock clean

help:  ## show these targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

run: $(VENV)/.installed  ## run the main job (ENV=utd_mhad chooses another study)
	$(BIN)/kedro run $(if $(ENV),--env=$(ENV)) --pipelines=$(PIPELINE)

rerun: $(VENV)/.installed  ## the same, but run only what has changed
	$(BIN)/kedro run $(if $(ENV),--env=$(ENV)) --pipelines=$(PIPELINE) --runner=msf_kedro.runner.ChangedOnlyRunner

demo: $(VENV)/.installed-demo  ## after `make run`: play with words and clips in the browser
	$(BIN)/kedro msf demo $(if $(ENV),--env=$(ENV))

# The second run computes as a processor without vector units does: floats round otherwise there.
test: $(VENV)/.installed-dev lint  ## lint, run all tests, then the quick numerical ones anew
	$(PYTEST)
	ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 $(PYTEST) $(NUMERICAL)

lint: $(VENV)/.installed-dev  ## check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

viz: $(VENV)/.installed-viz  ## look at the DAG in the browser
	$(BIN)/kedro viz run $(if $(ENV),--env=$(ENV))

docs: $(VENV)/.installed-docs  ## build the documentation site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build

lock: $(VENV)/.installed-dev  ## pin all dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock

clean:  ## remove the virtual environment and caches, keep data
	rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# One lock file constrains every kind of installation.
$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements.lock
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable .
	@touch $@

$(VENV)/.installed-%: $(VENV)/bin/python pyproject.toml requirements.lock
	$(BIN)/python -m pip install --quiet --constraint requirements.lock --editable ".[$*]"
	@touch $@
