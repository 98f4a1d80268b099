"""Affinity: the CPUs that a process of `exec` may use, before and after it joins its cgroups.

A first CPU for the start keeps it off those that the container's real-time programs have
(OCI runtime-spec, execCPUAffinity; sched_setaffinity(2)).
"""

from __future__ import annotations

import os

from minirt.linux.calls import failed
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Affinity(Mechanism):
    """Sets of CPU numbers; an empty one changes nothing."""

    name = "affinity"

    def __init__(self, initial: frozenset[int], final: frozenset[int]) -> None:
        self.initial = initial
        self.final = final

    def attach(self, ctx: Context) -> None:
        apply(ctx.pid, self.initial)

    def seal(self, ctx: Context) -> None:
        apply(0, self.final)

    def describe(self) -> str:
        return f"affinity: CPUs {sorted(self.initial)}, then {sorted(self.final)}"


def apply(pid: int, cpus: frozenset[int]) -> None:
    if not cpus:
        return
    try:
        os.sched_setaffinity(pid, cpus)
    except OSError as error:
        shown = f"sched_setaffinity({pid}, {sorted(cpus)})"
        raise failed("cannot choose the CPUs of the process", shown, error) from None
