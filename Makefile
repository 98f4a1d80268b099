# Everything that makes a fresh machine ready. `make` alone lists what there is.
#
# .venv, out/ and the caches belong to whoever types make; only what needs root is elevated.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# The modules of a start in one file (minirt/packed.py).
PACK := $(VENV)/pack
SUITES := lint types unit report kernel cgroup2 vm lessons engines
BENCH_PACKAGES = $(PY) -m minirt.host.packages bench || \
  echo "minirt: going on without; what needs it will be left out, and said" >&2
N ?= 1
ARGS ?=

ifneq ($(and $(filter 0,$(shell id -u)),$(filter-out 0,$(SUDO_UID))),)

# `sudo make ...`: done as the caller after all, so that none of the caller's files becomes root's.
AS_CALLER = @sudo --user "\#$(SUDO_UID)" --set-home -- $(MAKE) --no-print-directory $(MAKEOVERRIDES)
Makefile: ;
help: ; $(AS_CALLER) help
%: ; $(AS_CALLER) $@
.PHONY: help

else

.PHONY: help run test test-full test-engines test-cgroup2 setup $(SUITES) fuzz bench bench-full
.PHONY: bench-oci bench-micro docs docs-serve step clean uninstall

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | \
	  awk -F ':.*## ' '{ printf "make %-12s %s\n", $$1, $$2 }'

run: $(PACK) ## from nothing to seven containers coming to life, the last beside a VM
	@$(PY) -m minirt.host.packages run || echo "minirt: going on without; a step that needs it will say so" >&2
	@$(PY) -m minirt.tour

test: tools ## everything that CI runs: lint, types, unit, kernel, VM and lesson tests
	@$(PY) tests/suites.py $(SUITES)

test-full: tools ## the above, more of it, the second guest, the site in a browser, a bare Debian 12
	@$(MAKE) --no-print-directory $(VENV)/fuzz || echo "minirt: going on without Atheris; fuzz will not run" >&2
	@MINIRT_FUZZ=20 $(PY) tests/suites.py $(SUITES:engines=engines-all) fuzz cgroup2-qemu site bare

test-engines: tools ## podman, buildah, docker, containerd and Swarm, each driving minirt-oci
	@$(PY) tests/suites.py engines-all

test-cgroup2: tools ## the cgroup tests in a guest, or ARGS='--backend qemu -k memory'
	@mkdir -p out/tests
	@$(PY) -m vm.harness --junit out/tests/cgroup2.xml $(ARGS)

setup: $(PACK) ## what `make run` needs: .venv, system packages, the image
	@$(PY) -m minirt.host.packages run
	@$(PY) -m minirt.images

lint: ## ruff and the import layers
types: ## mypy --strict
unit: ## the tests that need no root
report: ## what makes reports, charts and comparisons of benchmark results
kernel: ## the tests that ask the kernel, as root
cgroup2: ## the cgroup tests on a kernel that has version 2 alone, summed up
vm: ## the tests that boot a virtual machine
lessons: ## every command of the lessons, and what it prints
engines: ## the quick part of `make test-engines`
$(SUITES): tools
	@$(PY) tests/suites.py $@

fuzz: $(VENV)/fuzz ## grow configurations by the code they reach until one fails, or ARGS='-runs=100000'
	@$(PY) tests/fuzz/guided.py $(ARGS)

bench: $(VENV)/bench ## measure containers and a VM on this machine, in about 4 minutes, and report
	@$(BENCH_PACKAGES)
	@$(PY) -m bench run --quick --sudo

bench-full: $(VENV)/bench ## the same with every subject that is installed here, and more settings
	@$(BENCH_PACKAGES)
	@$(PY) -m bench run --full --sudo

bench-oci: $(VENV)/bench ## minirt-oci, runc and crun as engines call them, in about 4 minutes, or ARGS=--full
	@$(BENCH_PACKAGES)
	@$(PY) -m bench run --suite oci --sudo $(ARGS)

bench-micro: $(VENV)/bench ## what single parts of minirt cost, from nanoseconds to milliseconds
	@$(PY) -m pytest -q bench/micro --benchmark-columns=min,median,rounds \
	  --benchmark-group-by=func

docs: $(VENV)/docs ## build the lessons as a site, in site/
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --quiet --strict
	@echo "open site/index.html in a browser"

docs-serve: $(VENV)/docs ## read the lessons in a browser
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs serve

step: $(PACK) ## one step with a shell, or ARGS='--hostname web1 -- uname -n': make step N=3
	@[[ "$(N)" == [1-7] ]] || \
	  { echo "minirt: N=$(N) is no step: they are 1 to 7, as in make step N=3" >&2; exit 2; }
	@$(PY) -m minirt.step$(N) $(ARGS)

clean: ## remove what was built here: .venv, out/, site/
	rm -rf $(VENV) out site build *.egg-info .mypy_cache .ruff_cache .import_linter_cache
	find minirt tests -name __pycache__ -prune -exec rm -rf {} +

uninstall: $(VENV)/base ## take back what minirt changed on this machine, then clean (asks first)
	@$(PY) -m minirt.host.uninstall $(ARGS)
	@$(MAKE) --no-print-directory clean

.PHONY: tools
tools: $(VENV)/test $(PACK)
	@$(PY) -m minirt.host.packages test || echo "minirt: going on without; the tests that need it will fail" >&2
	@$(PY) -m minirt.host.packages engines || echo "minirt: going on without the engines" >&2
	@$(PY) -m minirt.host.packages box || echo "minirt: going on without vagrant" >&2

# The stamp holds the path of this clone: a moved one is set up again.
ifneq ($(shell cat $(VENV)/base 2>/dev/null),$(CURDIR))
.PHONY: $(VENV)/base
endif

$(VENV)/base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "minirt needs Python 3.11 or newer: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "minirt needs the venv module of Python: sudo apt-get install python3-venv" >&2; exit 1; }
	@echo "minirt: making $(VENV) with the base dependencies ..." >&2
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check \
	  --config-settings editable_mode=compat --editable .
	@# Python 3.11 puts setuptools there, whose hook would delay each start by 0.7 ms.
	@$(PY) -m pip uninstall --quiet --yes --disable-pip-version-check setuptools 2>/dev/null || true
	@$(PY) -m compileall -q minirt
	@echo "$(CURDIR)" > $@

$(PACK): $(VENV)/base $(shell find minirt -name '*.py')
	@$(PY) -I -X no_debug_ranges -m minirt.host.pack
	@touch $@

$(VENV)/test: EXTRAS = test,lint,docs,bench
$(VENV)/docs: EXTRAS = docs
$(VENV)/bench: EXTRAS = bench
$(VENV)/fuzz: EXTRAS = fuzz
$(VENV)/test $(VENV)/docs $(VENV)/bench $(VENV)/fuzz: $(VENV)/base
	@echo "minirt: adding the dependencies for $(EXTRAS) to $(VENV) ..." >&2
	@$(PY) -m pip install --quiet --disable-pip-version-check \
	  --only-binary atheris --config-settings editable_mode=compat --editable '.[$(EXTRAS)]'
	@touch $@

endif
