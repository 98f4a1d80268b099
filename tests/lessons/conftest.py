"""Lessons run on the machine itself: each of their tests ends by proving that it left nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "kernel")]

import leaks  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def _orphans_are_ours() -> None:
    leaks.adopt_orphans()


@pytest.fixture
def leaves_nothing() -> Iterator[None]:
    """Compare the machine with what it was before."""
    places = (Path("/tmp"), Path("/dev/shm"))
    before = leaks.snapshot(*places)
    yield
    found = [line for line in leaks.left(before, *places) if _ours(line)]
    assert not found, f"left behind: {found}"


def _ours(line: str) -> bool:
    """Not what others do meanwhile on this machine, whose files and cgroups can be seen too.

    Links, mounts and rules need no look: the runner has namespaces of its own for them.
    """
    return line.startswith(("process", "namespace", "fd")) or "lesson" in line
