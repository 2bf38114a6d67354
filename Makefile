# `make demo` and `make test` work straight after a clone: tools/setup.py makes .venv, installs the packages and,
# where there is no Vulkan adapter, a software driver. It says what it does and skips what is done.

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
SETUP := $(PYTHON) tools/setup.py --venv $(VENV)
# The peers weigh gigabytes, so they have an environment of their own.
PEERS_VENV ?= .venv-peers

.PHONY: help setup demo test test-peers check format bench gpu drivers attack gallery lock clean

help:
	@echo "make demo        marching.png and marching.gif, from a network file in examples/"
	@echo "make test        every test that needs nothing but this project"
	@echo "make test-peers  the tests against other programs (installs PyTorch first)"
	@echo "make check       style, types and the import rules"
	@echo "make bench       every kernel's time beside its peers' (installs PyTorch and JAX first)"
	@echo "make gpu         doctor, tests and benchmarks on a graphics card, its rows in benchmarks/results"
	@echo "make drivers     doctor and pictures on every Vulkan driver of this machine; ARGS names further ones"
	@echo "make attack      damaged files and stopped commands: neither may find a fault"
	@echo "make gallery     the pictures of README.md and docs/"
	@echo "make clean       removes what the targets made, the virtual environments too"

setup:
	@$(SETUP)

demo: setup
	@$(PY) tools/demo.py

# Two processes, a file of tests each; ARGS="-n 0 --pdb" for one. In their order, since files of few tests are not the
# short ones.
test:
	@$(SETUP) --extra dev
	@$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-peers:
	@$(PYTHON) tools/setup.py --venv $(PEERS_VENV) --extra dev --extra peers
	@$(PEERS_VENV)/bin/python -m pytest -m peers --disable-warnings $(ARGS)

# Everything that judges a change without running it; .ci/run and .pre-commit-config.yaml call it.
check:
	@$(SETUP) --extra dev --no-driver
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

format:
	@$(SETUP) --extra dev --no-driver
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench:
	@$(PYTHON) tools/setup.py --venv $(PEERS_VENV) --extra dev --extra peers --extra bench
	@$(PEERS_VENV)/bin/python -m benchmarks $(ARGS)

# For a machine with a graphics card: everything that tells how this project does there.
gpu:
	@$(PYTHON) tools/setup.py --venv $(PEERS_VENV) --extra dev --extra peers --extra bench --no-driver
	@$(PEERS_VENV)/bin/python tools/gpu.py $(ARGS)

drivers: setup
	@$(PY) tools/drivers.py $(ARGS)

# Damaged files of every kind that is read, and commands stopped at random moments: neither may find anything.
attack:
	@$(PYTHON) tools/setup.py --venv $(PEERS_VENV) --extra dev --extra peers
	@$(PEERS_VENV)/bin/python -m tools.fuzz $(ARGS)
	@$(PEERS_VENV)/bin/python -m tools.kills

gallery: setup
	@$(PY) tools/gallery.py

lock:
	@$(SETUP) --extra dev --no-driver
	@$(PY) tools/lock.py

clean:
	rm -rf $(VENV) $(PEERS_VENV) build dist .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache
	rm -f marching.png marching.gif
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
