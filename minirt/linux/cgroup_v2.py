"""What only version 2 asks for: controllers are handed down, level by level (cgroups(7)).

A cgroup has the files of a controller when its parent names it in cgroup.subtree_control, and
the parent may name only those in its own cgroup.controllers.
"""

from __future__ import annotations

import errno
import os

from minirt.errors import HostError, KernelError
from minirt.linux.cgroupfs import ATTEMPTS, read, write
from minirt.linux.cgroups import CALLER, NEEDS_DELEGATION, handed_down

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from minirt.linux.cgroups import Hierarchy


def enable(hierarchy: Hierarchy, path: str, controllers: Iterable[str]) -> int:
    """Hand `controllers` down to cgroup `path`, which exists.

    Returns how many processes were moved, into a leaf, to make room (see `make_room`).
    """
    base, wanted, moved = hierarchy.base(path), tuple(controllers), 0
    try:
        _enable_for_children(base, wanted)
    except KernelError as error:
        if error.errno != errno.EBUSY or base != hierarchy.home():
            raise
        moved = make_room(base)
        _enable_for_children(base, wanted)
    parent = base
    for name in path.strip("/").split("/")[:-1]:
        parent = f"{parent}/{name}"
        _enable_for_children(parent, wanted)
    return moved


def enable_by_hand(hierarchy: Hierarchy, path: str, controllers: Iterable[str]) -> list[str]:
    """`enable` as shell commands."""
    names = " ".join(f"+{name}" for name in controllers)
    parents = [hierarchy.base(path)]
    for name in path.strip("/").split("/")[:-1]:
        parents.append(f"{parents[-1]}/{name}")
    return [f"echo {names} > {parent}/cgroup.subtree_control" for parent in parents]


def _enable_for_children(parent: str, controllers: tuple[str, ...]) -> None:
    enabled = read(parent, "cgroup.subtree_control").split()
    missing = [name for name in controllers if name not in enabled]
    if not missing:
        return
    absent = set(missing).difference(handed_down(parent))
    if absent:
        names = ", ".join(sorted(absent))
        raise HostError(f"cgroup {parent} was not given {names}", hint=NEEDS_DELEGATION)
    write(parent, "cgroup.subtree_control", " ".join(f"+{name}" for name in missing))


def await_files(directory: str, controller: str, files: Iterable[str]) -> None:
    """Wait for another process that hands `controller` down to `directory` at this moment.

    The kernel lists a controller in cgroup.subtree_control first and makes its files then; only
    whoever writes there waits for the end (cgroup_subtree_control_write).
    """
    if not all(os.path.exists(f"{directory}/{file}") for file in files):
        write(os.path.dirname(directory), "cgroup.subtree_control", f"+{controller}")


def make_room(base: str) -> int:
    """Move the processes of `base` into a leaf below it; how many were moved.

    "No internal processes": a cgroup below the root either holds processes or hands controllers
    to children. In a cgroup delegated to us its processes are ours to move; the root of the
    whole hierarchy, which has no cgroup.events, never needs it.
    """
    if not os.path.exists(f"{base}/cgroup.events"):
        return 0
    leaf = f"{base}/{CALLER}"
    os.makedirs(leaf, exist_ok=True)
    moved = 0
    for _ in range(ATTEMPTS):  # they may fork meanwhile
        pids = read(base, "cgroup.procs").split()
        if not pids:
            return moved
        moved += sum(_move(pid, leaf) for pid in pids)
    raise HostError(f"cgroup {base} does not get empty", hint="stop what forks in it")


def _move(pid: str, leaf: str) -> bool:
    try:
        write(leaf, "cgroup.procs", pid)
    except KernelError as error:
        if error.errno != errno.ESRCH:  # it ended meanwhile
            raise
        return False
    return True
