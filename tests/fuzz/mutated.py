"""Configurations as engines write them, with a few members changed, lost or doubled."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from typing import Any

    Place = tuple[Any, Any]  # an object or a list, with a key or an index of it

CONFIGS = Path(__file__).parent.parent / "data" / "configs"
BASES = [json.loads(path.read_text()) for path in sorted(CONFIGS.glob("*.json"))]
# How many times the usual number of configurations: `make test-full` wants more.
FACTOR = int(os.environ.get("MINIRT_FUZZ", "1"))
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64, -(2**64), 0.5, 1e400,
    "", "/", ".", "..", "../..", "/../../etc", "//", "a\0b", "\ud800", "\n", "x" * 5000,
    "/" + "y" * 300, "-1", "0-99999999", "SCMP_ACT_NOTIFY", "rbind", "tmpfs", "cgroup", "pid",
    "user", "CAP_SYS_ADMIN", [], {}, [[]], [{}], [None], [""], {"": None}, {"type": "user"},
    {"path": "/proc/1/ns/net"},
]  # fmt: skip
DELETE, DOUBLE, REPLACE = "delete", "double", "replace"
values = st.one_of(st.sampled_from(ODD), st.integers(), st.text(max_size=40))
changes = st.tuples(st.integers(0, 10**6), st.sampled_from((DELETE, DOUBLE, REPLACE)), values)


def places(value: Any) -> list[Place]:
    """Every member of every object and list of the document, in the order of its text."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    found: list[Place] = []
    for key in keys:
        found.append((value, key))
        if isinstance(value[key], (dict, list)):
            found += places(value[key])
    return found


def change(document: Any, number: int, kind: str, value: Any) -> None:
    """One change, at the place that `number` comes to."""
    found = places(document)
    if not found:
        return
    owner, key = found[number % len(found)]
    if kind == DELETE:
        del owner[key]
    elif kind == REPLACE:
        owner[key] = copy.deepcopy(value)
    elif isinstance(owner, list):
        owner.append(copy.deepcopy(owner[key]))
    else:
        owner[f"{key}2"] = copy.deepcopy(owner[key])


@st.composite
def documents(draw: st.DrawFn, bases: list[Any] = BASES) -> dict[str, Any]:
    """A configuration with one to four changes."""
    document: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(bases)))
    for number, kind, value in draw(st.lists(changes, min_size=1, max_size=4)):
        change(document, number, kind, value)
    return document


def often(count: int) -> settings:
    """`count` examples times FACTOR, the same each time: a test must not depend on luck."""
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
