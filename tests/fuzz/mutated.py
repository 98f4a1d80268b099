"""Configurations as engines write them, with a few members changed, lost, doubled or added."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Place = tuple[Any, Any]  # an object or a list, with a key or an index of it

DATA = Path(__file__).parent.parent / "data"
# Engines use a small part of the specification; the last one has a value for nearly every member.
FILES = [*sorted((DATA / "configs").glob("*.json")), DATA / "everything.json"]
BASES = [json.loads(path.read_text()) for path in FILES]
EVERYTHING: dict[str, Any] = BASES[-1]
# How many times the usual number of configurations: `make test-full` wants more.
FACTOR = int(os.environ.get("MINIRT_FUZZ", "1"))
ODD: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64, -(2**64), 0.5, 1e400,
    "", "/", ".", "..", "../..", "/../../etc", "//", "a\0b", "\ud800", "\n", "x" * 5000,
    "/" + "y" * 300, "-1", "0-99999999", "9" * 5000, "SCMP_ACT_NOTIFY", "rbind", "tmpfs", "cgroup",
    "pid", "user", "CAP_SYS_ADMIN", [], {}, [[]], [{}], [None], [""], {"": None}, {"type": "user"},
    {"path": "/proc/1/ns/net"},
]  # fmt: skip
DELETE, DOUBLE, REPLACE, ADD = KINDS = ("delete", "double", "replace", "add")
FARTHEST = 2**48  # of the numbers that lead to a place
DEEPER = 4  # of so many ways at an object, all but one lead into it
values = st.one_of(st.sampled_from(ODD), st.integers(), st.text(max_size=40))
changes = st.tuples(st.integers(0, FARTHEST), st.sampled_from(KINDS), values)


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in the document."""
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list)):
            yield from members(item)
    yield from value.items() if isinstance(value, dict) else ()


KNOWN = list(members(EVERYTHING))


def place(document: Any, number: int) -> tuple[Place, int] | None:
    """Where `number` leads to, and what is left of it; None in an empty document.

    All members of an object are equally likely: of all values, most are names in seccomp's lists.
    """
    owner = document
    while owner:
        number, index = divmod(number, len(owner))
        key = list(owner)[index] if isinstance(owner, dict) else index
        number, way = divmod(number, DEEPER)
        if not way or not isinstance(owner[key], (dict, list)) or not owner[key]:
            return (owner, key), number
        owner = owner[key]
    return None


def change(document: Any, number: int, kind: str, value: Any) -> None:
    """One change, at the place that `number` leads to."""
    found = place(document, number)
    if not found:
        return
    (owner, key), rest = found
    if kind == DELETE:
        del owner[key]
    elif kind == REPLACE:
        owner[key] = copy.deepcopy(value)
    elif kind == ADD:
        name, known = KNOWN[rest % len(KNOWN)]
        inside = owner[key] if isinstance(owner[key], dict) else owner
        inside[name if isinstance(inside, dict) else key] = copy.deepcopy(known)
    elif isinstance(owner, list):
        owner.append(copy.deepcopy(owner[key]))
    else:
        owner[f"{key}2"] = copy.deepcopy(owner[key])


def documents(bases: list[Any] = BASES) -> st.SearchStrategy[Any]:
    """A configuration with one to four changes; every other time it is the last of `bases`."""
    texts = [json.dumps(base) for base in bases]

    @st.composite
    def changed(draw: st.DrawFn) -> Any:
        document = json.loads(draw(st.sampled_from(texts) | st.just(texts[-1])))
        for number, kind, value in draw(st.lists(changes, min_size=1, max_size=4)):
            change(document, number, kind, value)
        return document

    return changed()


def often(count: int) -> settings:
    """`count` examples times FACTOR, the same each time: a test must not depend on luck."""
    return settings(
        max_examples=count * FACTOR,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
