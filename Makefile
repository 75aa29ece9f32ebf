# Everything one does with a checkout. Only Python 3.11 or newer, with pip, is needed beforehand.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test suite demo bench check fmt lock stop clean

# The first interpreter that truly runs and can make an environment: a stub on the path may do neither.
ifndef PYTHON
PYTHON := $(shell for each in python3.11 python3.13 python3.12 python3 python; do \
	"$$each" -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)' >/dev/null 2>&1 \
	&& echo "$$each" && break; done)
endif

BIN := .venv/bin
# Each has servers of its own. One more than a small machine has processors: much of a test is waiting.
PROCESSES := 3
FLASK := $(BIN)/python -m flask --app wsgi
LOCAL := $(BIN)/python -m carbon_credits.local

# $(call install,FILE): the packages of a locked file, hashes checked. uv takes a third of pip's time; where it cannot
# reach what pip can (an index or a certificate of pip's own), pip does the work. The old stamps go: what they
# stood for is no longer what is installed.
install = set -euo pipefail; \
	test -n "$(PYTHON)" || { echo "需要带 venv 的 Python 3.11 或更高版本 / Python 3.11 or newer with venv is needed"; exit 1; }; \
	$(BIN)/python -c "" 2>/dev/null || "$(PYTHON)" -m venv --clear .venv; \
	echo "正在安装依赖 / installing $(1) …"; \
	rm -f .venv/run-* .venv/dev-*; \
	awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements-dev.txt > .venv/uv.txt; \
	pip="$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r"; \
	{ $$pip .venv/uv.txt 2>/dev/null && $(BIN)/uv pip install --quiet --no-progress --compile-bytecode \
		--python $(BIN)/python --require-hashes -r $(1); } || $$pip $(1)

# A stamp carries the digest of what it stands for, so that a newer file time alone installs nothing again.
stamp = .venv/$(1)-$(shell cat $(2) | sha256sum | cut -c 1-16)
RUN_STAMP := $(call stamp,run,requirements.txt)
DEV_STAMP := $(call stamp,dev,requirements.txt requirements-dev.txt)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

$(RUN_STAMP):
	@$(call install,requirements.txt)
	@touch $@

$(DEV_STAMP):
	@$(call install,requirements-dev.txt)
	@touch $@ $(RUN_STAMP)

run: $(RUN_STAMP) ## start everything on http://127.0.0.1:8000; Ctrl-C stops it
	@exec $(LOCAL) run

test: check suite ## run every check, then every test on a real PostgreSQL and Valkey

suite: $(DEV_STAMP)
	@$(BIN)/python -m carbon_credits.local.assets
	@echo "== pytest"
	@$(BIN)/python -m coverage erase
	@$(BIN)/python -m pytest --numprocesses=$(PROCESSES) --cov --cov-report=term $(ARGS)

check: $(DEV_STAMP) ## style, types and the direction of imports; no server needed
	@echo "== ruff check"; $(BIN)/python -m ruff check .
	@echo "== ruff format"; $(BIN)/python -m ruff format --check .
	@echo "== mypy"; $(BIN)/python -m mypy
	@echo "== import-linter"; $(BIN)/lint-imports

demo: $(RUN_STAMP) ## play one day of the district through the real doors
	@exec $(LOCAL) during run $(FLASK) demo play $(ARGS)

bench: $(RUN_STAMP) ## measure, each figure beside its floor
	@exec $(LOCAL) during servers $(FLASK) bench $(ARGS)

fmt: $(DEV_STAMP) ## put the source into its form
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix .

COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-header --no-emit-index-url --no-emit-find-links

lock: $(DEV_STAMP) ## write requirements*.txt from requirements*.in, for every platform, with hashes
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) -c requirements.txt requirements-dev.in -o requirements-dev.txt
	@$(COMPILE) requirements-node.in -o requirements-node.txt

stop: ## stop what runs for this checkout
	@test ! -x $(BIN)/python || $(LOCAL) stop

clean: ## stop, then delete the virtual environment, the caches and all local data
	@test ! -x $(BIN)/python || $(LOCAL) erase
	@rm -rf .venv var htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	@find . -name __pycache__ -type d -not -path './node_modules/*' -prune -exec rm -rf {} +
