"""The process that clones is small: nothing is loaded that the container does not need."""

from __future__ import annotations

import subprocess

import pytest
from steps import PYTHON

# Runs a step, and says at the clone what this process has loaded.
DRIVER = """
import sys
from minirt.engine import create
from minirt.step6 import STEP
from minirt.stepping.step import main

def told(*arguments, clone=create.clone):
    print("loaded", *sorted(sys.modules), file=sys.stderr, flush=True)
    return clone(*arguments)

create.clone = told
main(STEP)
"""
HEAVY = {
    "argparse", "dataclasses", "enum", "json", "logging", "opentelemetry", "pathlib", "pyroute2",
    "re", "signal", "socket", "subprocess", "threading", "typing",
}  # fmt: skip


@pytest.mark.parametrize("tracing", [(), ("--no-trace",), ("--trace", "/dev/null")])
def test_nothing_heavy_is_loaded_when_init_is_cloned(tracing: tuple[str, ...]) -> None:
    options = ("--quiet", "--network", "none", *tracing)
    done = subprocess.run(
        [*PYTHON, "-c", DRIVER, *options, "--", "true"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("loaded "))
    loaded = set(line.split()[1:])
    assert "minirt.mechanisms.overlay" in loaded
    assert not {name.split(".")[0] for name in loaded} & HEAVY
