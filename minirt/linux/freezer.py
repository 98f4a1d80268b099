"""Stop all processes of a cgroup where they are, and let them go on (cgroups(7), "freezer").

Version 1 has a controller for it, with FREEZING on the way to FROZEN, where it can stay: while one
task forks another may slip through, so it is thawed and frozen anew. There SIGKILL waits until
the thaw. Version 2 has a file in every cgroup, and a frozen process can be killed.
"""

from __future__ import annotations

import os
import select
import time

from minirt.errors import HostError, MinirtError
from minirt.linux.cgroup_files import read, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

V1, V2 = "freezer.state", "cgroup.freeze"
PATIENCE_S = 5.0
PAUSE_S = 0.002
# Looks at FREEZING before the next attempt.
LOOKS = 20


def place(directories: Sequence[str]) -> str:
    """Which of one container's cgroups freezes it, version 1 first; "" if none can."""
    return next(places(directories), "")


def places(directories: Sequence[str]) -> Iterator[str]:
    """Those that can freeze it: on a hybrid machine there is one of each version."""
    for file in (V1, V2):
        for directory in directories:
            if os.path.exists(f"{directory}/{file}"):
                yield directory
                break


def frozen(directory: str) -> bool:
    """Whether processes of this cgroup stand still, or would: also because of a cgroup above it."""
    state = read(directory, V1).strip()
    if state:
        return state != "THAWED"
    # What is not empty is frozen only when its last process has come to a halt.
    return read(directory, V2).strip() == "1" or "frozen 1" in read(directory, "cgroup.events")


def held_above(directory: str) -> bool:
    """Whether a cgroup above this one, which is not to be frozen itself, keeps it still."""
    if os.path.exists(f"{directory}/{V1}"):
        return read(directory, "freezer.parent_freezing").strip() == "1"
    above = os.path.dirname(directory)
    while os.path.exists(f"{above}/{V2}"):
        if read(above, V2).strip() == "1":
            return True
        above = os.path.dirname(above)
    return False


def freeze(directory: str) -> None:
    """Return when every process stands still; HostError, and nothing is frozen, if they do not."""
    deadline = time.monotonic() + PATIENCE_S
    try:
        if os.path.exists(f"{directory}/{V1}"):
            _freeze_v1(directory, deadline)
        else:
            write(directory, V2, "1")
            _await_v2(directory, deadline)
    except BaseException:
        thaw(directory)
        raise


def _freeze_v1(directory: str, deadline: float) -> None:
    looks = 0
    write(directory, V1, "FROZEN")
    while read(directory, V1).strip() != "FROZEN":
        if time.monotonic() > deadline:
            raise _stubborn(directory)
        looks += 1
        if looks % LOOKS == 0:
            write(directory, V1, "THAWED")
        time.sleep(PAUSE_S)
        write(directory, V1, "FROZEN")


def _await_v2(directory: str, deadline: float) -> None:
    """Wait for "frozen 1" in cgroup.events, which the kernel announces to poll(2)."""
    with open(f"{directory}/cgroup.events", encoding="utf-8") as events:
        changed = select.poll()
        changed.register(events, select.POLLPRI)
        while "frozen 0" in events.read():
            if not changed.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise _stubborn(directory)
            events.seek(0)


def thaw(directory: str) -> None:
    """Let them go on; a cgroup that is gone has nobody who would."""
    try:
        if os.path.exists(f"{directory}/{V1}"):
            write(directory, V1, "THAWED")
        else:
            write(directory, V2, "0")
    except MinirtError:
        if os.path.isdir(directory):
            raise


def _stubborn(directory: str) -> HostError:
    return HostError(
        f"processes in cgroup {directory} do not freeze in {PATIENCE_S:g} s",
        hint="one waits uninterruptibly (state D): see what for in /proc/PID/stack",
    )
