# Everything a newcomer, CI and a release need. `make demo` and `make test` set themselves up.
PYTHON ?= python3
BIN := .venv/bin
# Where it is set, every process that a test starts would compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE
# One worker more than the two cores of the smallest machine: tests that start processes wait a lot. Neighbours share
# servers, so they stay together.
PYTEST := $(BIN)/python -m pytest -n 3 --dist worksteal
INSTALL := -m pip install --quiet --disable-pip-version-check

.PHONY: demo test coverage check bench soak generate looks docs man lock clean
.DELETE_ON_ERROR:

demo: .venv/.ready
	PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: .venv/.ready .venv-sdk-b10/.ready .venv-sdk-b5/.ready
	$(PYTEST) $(PYTEST_ARGS)

soak: .venv/.ready .venv-sdk-b10/.ready .venv-sdk-b5/.ready
	SPECTRONCTL_SOAK=1 $(PYTEST) $(PYTEST_ARGS)

check: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -k current tests/client/test_twins.py tests/cli/test_completion.py tests/cli/test_reference.py tests/docs

# Lines of spectronctl/ that the suite runs, in the commands that it starts too; twice as long as `make test`.
coverage: .venv/.ready .venv-sdk-b10/.ready .venv-sdk-b5/.ready
	rm -rf .coverage && mkdir .coverage
	$(BIN)/coverage run -m pytest -n 3 --dist worksteal $(PYTEST_ARGS)
	$(BIN)/coverage combine --quiet && $(BIN)/coverage report

bench: .venv/.ready .venv-httpie/.ready .venv-sdk-b10/.ready
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

# Files made from others: the synchronous client, the completion scripts, the references, the pictures.
generate: .venv/.ready
	$(BIN)/python -m tools.unasync
	$(BIN)/python -m tools.completions completions
	$(BIN)/python -m tools.reference markdown docs/commands.md
	$(BIN)/python -m tools.reference python docs/python.md
	$(BIN)/python -m tools.pictures docs/images

# What tables and help look like on terminals of three widths; read the difference before it is committed.
looks: .venv/.ready
	$(BIN)/python -m tests.looks

# What the commands of README and docs/guide print; they need port 9090 and a minute.
docs: .venv/.ready
	$(BIN)/python -m tools.documents

# To read one: man -M build/man spectronctl-keys-rotate
man: .venv/.ready
	$(BIN)/python -m tools.reference man build/man/man1

# Newer versions of everything, on purpose; `uv` must be at hand.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --upgrade
lock:
	$(LOCK) --extra local --group dev pyproject.toml -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt --extra local pyproject.toml -o requirements/serve.txt
	echo 'hatchling' | $(LOCK) -c requirements/dev.txt - -o requirements/build.txt
	echo 'surrealdb[memory]==3.0.0b10' | $(LOCK) - -o requirements/sdk-b10.txt
	echo 'surrealdb==3.0.0b5' | $(LOCK) - -o requirements/sdk-b5.txt
	echo 'httpie' | $(LOCK) - -o requirements/httpie.txt

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; try make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python $(INSTALL) --require-hashes -r requirements/dev.txt
	$(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
	touch $@

# The vendor's clients, each in an environment of its own, as their users have them.
.venv-%/.ready: requirements/%.txt
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python $(INSTALL) --require-hashes -r $<
	touch $@

clean:
	rm -rf .venv .venv-* .coverage .mypy_cache .pytest_cache .ruff_cache
