# make demo | make test | make help. Everything sets up .venv first; a second call finds it ready.
# PYTHON=... names the interpreter; WORKERS=... the processes that share the tests.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2
PYTHON ?=
TESTS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format check setup docs sample constraints clean

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 24

setup: $(STAMP) ## make .venv with the pinned packages

$(STAMP): pyproject.toml constraints.txt
	@sh .ci/setup $(VENV) "$(PYTHON)"

demo: $(STAMP) ## the main job on the embedded sample set, from files to one call over gRPC
	@$(BIN)/recsys run configs/demo.toml

# Each worker takes one thread of TensorFlow; whole files stay on one worker.
test: $(STAMP) ## the tests (TESTS=tests/index for some of them)
	@TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 \
		$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(STAMP) ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## let ruff put the source in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

check: lint test ## lint, then test

docs: $(STAMP) ## write docs/cli.md from the commands' own help
	@$(BIN)/python docs/make_cli.py

sample: $(STAMP) ## make the embedded sample set anew
	@$(BIN)/python data/make_sample.py

constraints: $(STAMP) ## pin the newest versions that fit pyproject.toml (needs uv in .venv)
	@$(BIN)/uv pip compile --no-python-downloads --universal --python-version 3.10 --extra dev \
		--quiet --upgrade --no-emit-index-url --no-header --no-annotate \
		pyproject.toml -o $(VENV)/constraints.txt
	@sed -E "s/ and sys_platform == 'linux'//; s/ ; python_full_version < '3.13'$$//; \
		s/ and python_full_version < '3.13'//" $(VENV)/constraints.txt >constraints.txt

clean: ## remove runs and caches; the data and .venv stay
	@rm -rf runs .pytest_cache .mypy_cache .ruff_cache .hypothesis build
