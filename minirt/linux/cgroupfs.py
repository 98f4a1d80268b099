"""One cgroup directory: make it, get into it, empty it, remove it; with the work on its files."""

from __future__ import annotations

import errno
import os

from minirt.errors import HostError, StateError
from minirt.linux.calls import failed
from minirt.linux.cgroup_files import read, settle, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# All our cgroups are below one of this name, or of this and a key; it goes with the last of them.
SHARED_PARENT, KEY_LENGTH = "minirt", 8
ATTEMPTS = 100
EMPTY_SET = "it has no processors or no memory: fill its cpuset.cpus and cpuset.mems first"
__all__ = ["Entrance", "claim", "make", "read", "remove", "settle", "write"]


def claim(directory: str) -> bool:
    """See that no other container lives in `directory`; whether it is there already.

    Then somebody else has made it, and shall remove it; what its maker left empty is filled.
    """
    if not os.path.isdir(directory):
        return False
    from minirt.linux.cgroup_members import members

    count = len(members(directory))
    if count:
        raise StateError(
            f"container's cgroup is not empty: {count} process(es) found in {directory}, which is"
            " in use already",
            hint="choose another container id or cgroupsPath",
        )
    inherit_sets(directory)
    return True


def make(directory: str, *, sets: bool = False) -> None:
    """Make the cgroup and its parents (mkdir -p); with `sets` it may be a cpuset."""
    for _ in range(ATTEMPTS):
        try:
            os.mkdir(directory)
        except OSError as error:
            # ENOENT: no parent yet, or the container that had been the last in our shared parent
            # took it away; ENODEV at that very moment.
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                raise failed("cannot make a cgroup", f'mkdir("{directory}")', error) from None
            _make_parents(directory)
        else:
            return inherit_sets(directory) if sets else None
    raise HostError(f"cannot make {directory}: its parent is removed again and again")


def _make_parents(directory: str) -> None:
    parent = os.path.dirname(directory)
    try:
        os.makedirs(parent, exist_ok=True)
    except OSError as error:
        # Of what is taken away meanwhile makedirs says ENOENT, ENODEV or, looking again, EEXIST.
        gone = error.errno == errno.EEXIST and not os.path.exists(parent)
        if not gone and error.errno not in (errno.ENOENT, errno.ENODEV):
            raise failed("cannot make a cgroup", f'mkdir("{parent}")', error) from None


def inherit_sets(directory: str) -> None:
    """Version 1: give a cpuset the processors and memory nodes of its parent (cpuset(7)).

    Those of a new one are empty, and no process may enter it.
    """
    if not os.path.exists(f"{directory}/cpuset.mem_hardwall"):
        return
    for file in ("cpuset.cpus", "cpuset.mems"):
        if not read(directory, file).strip():
            parent = os.path.dirname(directory)
            inherit_sets(parent)
            write(directory, file, read(parent, file).strip())


class Entrance:
    """The way into some cgroups, opened before the clone.

    Version 1: the child writes 0, itself, to `tasks`. Writing to cgroup.procs instead waits for
    an RCU grace period (10 ms after an idle moment), and by path a child in a user namespace is
    refused. Version 2: `directory_fd` is for clone3 (CLONE_INTO_CGROUP); -1 without one.
    """

    __slots__ = ("directory_fd", "tasks")

    def __init__(self, directories: Iterable[str], *, frozen_too: bool = False) -> None:
        self.tasks: list[int] = []
        self.directory_fd = -1
        if not frozen_too:
            _refuse_frozen(tuple(directories))
        for directory in directories:
            try:
                self.tasks.append(os.open(f"{directory}/tasks", os.O_WRONLY | os.O_CLOEXEC))
            except FileNotFoundError:
                self.directory_fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def join(self) -> None:
        """Move this process, which must have one thread, into the version 1 cgroups."""
        for fd in self.tasks:
            try:
                os.write(fd, b"0")
            except OSError as error:
                problem = failed("cannot join a cgroup", 'write(tasks, "0")', error)
                if error.errno == errno.ENOSPC:
                    problem.hint = EMPTY_SET
                raise problem from None

    def close(self) -> None:
        for fd in (*self.tasks, self.directory_fd):
            if fd >= 0:
                os.close(fd)
        self.tasks, self.directory_fd = [], -1


def remove(directories: Sequence[str], keep: Sequence[str] = ()) -> None:
    """Remove the cgroups with their children; processes still in them are killed. Idempotent.

    Those to `keep` are only emptied.
    """
    left = [path for path in directories if path in keep or not _rmdir(path)]
    if left:
        _empty(left, keep)
    for parent in {os.path.dirname(directory) for directory in directories}:
        if _is_shared(os.path.basename(parent)):
            _rmdir(parent)  # unless other containers are in it


def _is_shared(name: str) -> bool:
    name, dash, key = name.partition("-")
    return name == SHARED_PARENT and (not dash or (len(key) == KEY_LENGTH and key.isalnum()))


def _refuse_frozen(directories: Sequence[str]) -> None:
    """StateError where what enters would stand still, and we would wait for it."""
    from minirt.linux import freezer

    for place in freezer.places(directories):
        if freezer.frozen(place):
            raise StateError(
                f"container's cgroup unexpectedly frozen: {place}", hint="thaw it first"
            )


def _empty(directories: Sequence[str], keep: Sequence[str]) -> None:
    from minirt.linux import freezer
    from minirt.linux.cgroup_members import kill, members

    still = freezer.place(directories)
    # Who is frozen does not die; but a cgroup of somebody else's, if none is, stays as it was.
    if still and freezer.frozen(still) and members(still):
        freezer.thaw(still)
    for directory in directories:
        if directory in keep:
            kill(directory)
        else:
            _empty_and_remove(directory)


def _empty_and_remove(directory: str) -> None:
    from minirt.linux.cgroup_members import kill

    for _ in range(ATTEMPTS):
        kill(directory)
        for path, _, _ in os.walk(directory, topdown=False):
            _rmdir(path)
        if not os.path.isdir(directory):
            return
        # A task can leave its cgroup a moment after it has ended; let it run.
        os.sched_yield()
    raise HostError(f"cannot remove cgroup {directory}: it is still in use")


def _rmdir(directory: str) -> bool:
    """Remove it; False when processes or children are in it."""
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno in (errno.EBUSY, errno.ENOTEMPTY):
            return False
        raise failed("cannot remove a cgroup", f'rmdir("{directory}")', error) from None
    return True
