# `make demo` and `make test` set up everything they need, even on a new machine.

PYTHON ?= python3
BIN := .venv/bin
# One and a half times the number of cores, because many tests wait for a process, a server or a browser.
TESTERS := $(shell echo $$(( ($$(nproc 2>/dev/null || echo 2) * 3 + 1) / 2 )))

# Settings for your own Python would install the packages elsewhere, or run other code than the code in this folder.
unexport PYTHONPATH PYTHONHOME PYTHONUSERBASE PIP_TARGET PIP_PREFIX PIP_ROOT PIP_CONSTRAINT PIP_REQUIREMENT
export PIP_USER = 0

# A virtual environment contains its own path. In a folder that was copied or renamed, it is made again.
MOVED := $(shell [ "$$(cat .venv/.dev 2>/dev/null)" = "$$(pwd -P)" ] || echo MOVED)

.PHONY: MOVED help setup demo test fuzz check format bench catalogues constraints clean

help:  ## list these commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

setup: .venv/.dev  ## install the program and everything its tests need into .venv

demo: .venv/.dev  ## build, check and send the February issue, with each email written to a file
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/demo

test: check  ## run all checks and all tests
	scripts/install-debian-packages chromium postgresql spamassassin
	scripts/unpack-postfix-tools
	scripts/unpack-rspamd
	scripts/unpack-web-servers
	scripts/install-judges
	scripts/unpack-openssh
	$(BIN)/pytest -n $(TESTERS) --dist worksteal

fuzz: .venv/.dev  ## try 200,000 hostile inputs, each within 5 seconds and 500 MiB; this takes hours
	$(BIN)/python -m tests.fuzz 200000

check: .venv/.dev  ## check formatting, lint, types, layers, and that the installed packages are compatible
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pip check

format: .venv/.dev  ## sort the imports and format the code
	$(BIN)/ruff check --fix --select I
	$(BIN)/ruff format

bench: .venv/.dev  ## measure speed, compared with other tools
	scripts/install-debian-packages postgresql
	scripts/unpack-postfix-tools
	PATH="$(CURDIR)/build/postfix/bin:$$PATH" $(BIN)/python -m benchmarks

catalogues: .venv/.dev  ## bring the catalogues of all languages up to date with the English messages
	$(BIN)/python scripts/update-catalogues

constraints: .venv/.dev  ## pin the packages of pyproject.toml in constraints.txt, with the hash of every file
	scripts/freeze-constraints

clean:  ## remove .venv, builds and caches, but keep the database and the outbox
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Two steps, because a folder has no hash: first install the pinned packages, then this folder, which is built with them.
.venv/.dev: pyproject.toml constraints.txt scripts/make-venv $(MOVED)
	PYTHON="$(PYTHON)" scripts/make-venv
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@pwd -P > $@
