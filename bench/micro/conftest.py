"""What the micro benchmarks share: the configuration of step 6."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from minirt.spec import Spec
from minirt.stepping.options import OPTIONS
from minirt.stepping.parser import parse
from minirt.stepping.request import Request

if TYPE_CHECKING:
    from minirt.codec import Json

LEAST = pytest.StashKey[int]()  # of the clones, in ns
LEGEND = """A table for each function, in a unit of its own; in brackets: times its least.
min: the least of all rounds, the column to read, since other processes only ever add to a time.
median: of all rounds; far above min where the machine was busy."""


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    terminalreporter.write_line(LEGEND)
    if LEAST in config.stash:
        terminalreporter.write_line(f"clone3 alone, the least of all: {config.stash[LEAST]} ns")


def configuration() -> dict[str, Json]:
    """config.json of step 6 in a tree of its own, without a network."""
    words = ["--rootfs", "/", "--network", "none", "--", "true"]
    return Request(6, parse(words, OPTIONS, 6), "bench", "/var/lib/minirt/bench").config()


@pytest.fixture(scope="session")
def config() -> dict[str, Json]:
    return configuration()


@pytest.fixture(scope="session")
def spec(config: dict[str, Json]) -> Spec:
    return Spec(config)
