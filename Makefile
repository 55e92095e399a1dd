# Two commands matter: `make demo` and `make test`. Both need Python ≥ 3.11, git and make, nothing else.
.DEFAULT_GOAL := help
.PHONY: help setup demo bench chaos simulate fuzz test check lint format contracts types unit real-servers lock clean
SHELL := /bin/sh
export PYTHON ?=
RUN := .venv/bin/python -m

help: ## say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## .venv from the hash-pinned locks (PYTHON=… picks the interpreter)
	@tools/setup.sh dev

demo: ## send real mails through an embedded PostgreSQL and a local inbox
	@tools/setup.sh run
	@.venv/bin/galaxy-mail demo

bench: ## measure us and the peers; QUICK=1 for three minutes with smaller tables
	@tools/setup.sh bench
	@.venv-bench/bin/python -m bench $(if $(QUICK),--quick)

chaos: setup ## faults at random on the real thing: MINUTES=2, SEED=… to draw the same ones again
	@$(RUN) tests.faults --minutes $(or $(MINUTES),2) $(if $(SEED),--seed $(SEED))

simulate: setup ## worlds by the thousand, in virtual time: SEEDS=1000, FIRST=0; SEED=… tells one world's story
	@$(RUN) tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),1000) --first $(or $(FIRST),0))

fuzz: setup ## coverage-guided: SECONDS=60 for each target, SEED=0, TARGETS="session message …", PYTHON=…
	@$(RUN) tests.fuzz --seconds $(or $(SECONDS),60) --seed $(or $(SEED),0) $(TARGETS)

test: lint contracts types unit ## everything CI runs: lint, import contracts, types, tests

check: test ## the same as test

lint: setup ## ruff: rules and format
	@$(RUN) ruff check .
	@$(RUN) ruff format --check --quiet .

format: setup ## let ruff mend what it can
	@$(RUN) ruff check --fix --quiet .
	@$(RUN) ruff format --quiet .

contracts: setup ## who may import whom
	@.venv/bin/lint-imports --no-logo

types: setup ## mypy --strict
	@$(RUN) mypy

unit: setup ## all tests, on a real PostgreSQL
	@$(RUN) pytest

real-servers: setup ## as root: Postfix, Exim, OpenSMTPD and pgbouncer from this Debian's packages, unpacked, not installed
	@tools/real_servers.sh
	@GALAXY_MAIL_REAL_SERVERS=$${GALAXY_MAIL_REAL_SERVERS:-$(CURDIR)/.real-servers} $(RUN) pytest -m real_server tests/real_servers

lock: ## resolve the dependencies anew into requirements/*.lock
	@tools/lock.sh

clean: ## remove what was made here
	@rm -rf .venv .venv-bench .real-servers bench/peers/pgboss/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
