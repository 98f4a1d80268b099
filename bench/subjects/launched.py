"""An instance that runs below one process of ours: a runtime in the foreground."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.process import TIMEOUT, Process, descendants
from minirt.linux import cgroups, mountinfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Self


class Launched:
    """Everything below `process` belongs to the instance, and ends with the `with` block."""

    def __init__(self, process: Process, undo: Callable[[], None] | None = None) -> None:
        self.address = ""
        self.first: tuple[str, int] = ("", 0)
        self.process = process
        self._undo = undo

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.__exit__()
        if self._undo is not None:
            self._undo()

    def pids(self) -> list[int]:
        return descendants(self.process.pid)

    def cgroup(self) -> str:
        return cgroup_of(self.pids())

    def line(self, timeout: float) -> tuple[str, int]:
        return self.process.line(timeout)


def launch(
    argv: Sequence[str],
    env: Mapping[str, str] | None = None,
    undo: Callable[[], None] | None = None,
    timeout: float = TIMEOUT,
) -> Launched:
    """Start `argv`, and return when its first line has arrived: in `first`, with its time."""
    instance = Launched(Process(argv, env), undo)
    try:
        instance.process.start()
        instance.first = instance.line(timeout)
    except BaseException:
        instance.__exit__()
        raise
    return instance


def cgroup_of(pids: Iterable[int]) -> str:
    """The memory cgroup of the last of `pids` that is in another than we are; "" for none.

    Where memory has no hierarchy of its own, any other that tells the instance from us will do.
    """
    ours = _directories(os.getpid())
    for pid in reversed(list(pids)):
        theirs = _directories(pid)
        differ = [name for name in theirs if theirs[name] != ours.get(name)]
        for name in sorted(differ, key=lambda name: name != "memory"):
            if os.path.isdir(theirs[name]):
                return theirs[name]
    return ""


def _directories(pid: int) -> dict[str, str]:
    """The names of a hierarchy's controllers -> the directory of the cgroup that `pid` is in."""
    try:
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as listed:
            text = listed.read()
    except (FileNotFoundError, ProcessLookupError):  # it has ended
        return {}
    table = [mount for mount in mountinfo.mounts() if mount.fstype.startswith("cgroup")]
    return {",".join(each.controllers): each.home() for each in cgroups.parse(table, text)}
