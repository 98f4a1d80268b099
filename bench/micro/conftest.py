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
