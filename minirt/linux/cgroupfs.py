"""One cgroup directory: make it, write its files, get into it, empty it, remove it.

Nothing here creates a file: outside a cgroup file system a write fails instead of leaving litter.
"""

from __future__ import annotations

import errno
import os
import select
import time

from minirt.errors import HostError, KernelError, StateError
from minirt.linux.calls import failed
from minirt.linux.process import SIGKILL, pidfd_open, pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# All our cgroups are below one of this name, which goes when the last of them goes.
SHARED_PARENT = "minirt"
MAX_FILE = 1 << 20
ATTEMPTS = 100
PATIENCE_S = 10.0
NO_DISK = "there is no such disk; a partition cannot be limited, only its whole disk"
HINTS = {
    ("cgroup.subtree_control", errno.EBUSY): "it holds processes itself, and then cannot have"
    " children with controllers (no internal processes, cgroups(7)): move them into a leaf",
    ("cgroup.subtree_control", errno.EACCES): "ask for it to be delegated:"
    " systemd-run --user --scope -p Delegate=yes COMMAND",
    ("io.max", errno.ENODEV): NO_DISK,
    ("blkio.throttle.read_bps_device", errno.ENODEV): NO_DISK,
    ("blkio.throttle.write_bps_device", errno.ENODEV): NO_DISK,
}


def claim(directory: str) -> None:
    """See that no other container lives in `directory`; an empty left-over is removed.

    A left-over would bring its old limits and counts with it.
    """
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        pass
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise failed(f"cannot use cgroup {directory}", "rmdir", error) from None
        raise StateError(
            f"cgroup {directory} is in use already", hint="choose another container id"
        ) from None


def make(directory: str) -> None:
    """Make the cgroup and its parents (mkdir -p)."""
    for _ in range(ATTEMPTS):
        try:
            os.makedirs(os.path.dirname(directory), exist_ok=True)
            os.mkdir(directory)
        except OSError as error:
            # The container that had been the last in our shared parent took it away: ENOENT, or
            # ENODEV at that very moment, or EEXIST of makedirs, which looks again too late.
            again = error.errno == errno.EEXIST and not os.path.exists(directory)
            if again or error.errno in (errno.ENOENT, errno.ENODEV):
                continue
            raise failed("cannot make a cgroup", f'mkdir("{directory}")', error) from None
        return
    raise HostError(f"cannot make {directory}: its parent is removed again and again")


def write(directory: str, file: str, value: str) -> None:
    """Set one file of the cgroup; HostError when this kernel has no such file."""
    path = f"{directory}/{file}"
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, value.encode())
        finally:
            os.close(fd)
    except FileNotFoundError:
        raise HostError(
            f"this kernel cannot set {file}: there is no {path}", hint="leave that limit out"
        ) from None
    except OSError as error:
        raise KernelError(
            f"cannot set {file} of a cgroup to {value}",
            call=f'write("{path}", "{value}")',
            errno=error.errno or 0,
            hint=HINTS.get((file, error.errno or 0), ""),
        ) from None


def read(directory: str, file: str) -> str:
    """One file of the cgroup; "" when this kernel has no such file."""
    try:
        fd = os.open(f"{directory}/{file}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return ""
    try:
        return os.read(fd, MAX_FILE).decode()
    finally:
        os.close(fd)


class Entrance:
    """The way into some cgroups, opened before the clone.

    Version 1: the child writes 0, itself, to `tasks`. Writing to cgroup.procs instead waits for
    an RCU grace period (10 ms after an idle moment), and by path a child in a user namespace is
    refused. Version 2: `directory_fd` is for clone3 (CLONE_INTO_CGROUP); -1 without one.
    """

    __slots__ = ("directory_fd", "tasks")

    def __init__(self, directories: Iterable[str]) -> None:
        self.tasks: list[int] = []
        self.directory_fd = -1
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
                raise failed("cannot join a cgroup", 'write(tasks, "0")', error) from None

    def close(self) -> None:
        for fd in (*self.tasks, self.directory_fd):
            if fd >= 0:
                os.close(fd)
        self.tasks, self.directory_fd = [], -1


def members(directory: str) -> list[int]:
    """The processes in the cgroup and its children, as pids of our own namespace."""
    found: list[int] = []
    for path, _, _ in os.walk(directory):
        found += [int(pid) for pid in read(path, "cgroup.procs").split()]
    return found


def remove(directories: Sequence[str]) -> None:
    """Remove the cgroups with their children; processes still in them are killed. Idempotent."""
    for directory in directories:
        if not _rmdir(directory):
            _empty_and_remove(directory)
    for parent in {os.path.dirname(directory) for directory in directories}:
        if os.path.basename(parent) == SHARED_PARENT:
            _rmdir(parent)  # unless other containers are in it


def _empty_and_remove(directory: str) -> None:
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


def kill(directory: str) -> None:
    """Kill every process in the cgroup and its children, and wait until they are gone."""
    if os.path.exists(f"{directory}/cgroup.kill"):
        write(directory, "cgroup.kill", "1")
        _wait_until_empty(directory)
        return
    if os.path.exists(f"{directory}/pids.max"):
        write(directory, "pids.max", "0")  # from here on none of them can fork
    for _ in range(ATTEMPTS):
        pids = members(directory)
        if not pids:
            return
        _kill_and_wait(directory, pids)
    raise HostError(f"processes in cgroup {directory} do not end")


def _kill_and_wait(directory: str, pids: list[int]) -> None:
    """SIGKILL to each, by descriptors: between reading a pid and using it, it can be reused."""
    pinned = {pid: fd for pid in pids if (fd := _pin(pid)) >= 0}
    try:
        still = set(members(directory))
        waiting = select.poll()
        for pid in still & pinned.keys():
            pidfd_send_signal(pinned[pid], SIGKILL)
            waiting.register(pinned[pid], select.POLLIN)
        deadline = time.monotonic() + PATIENCE_S
        remaining = still & pinned.keys()
        while remaining:
            ready = waiting.poll(max(0.0, deadline - time.monotonic()) * 1000)
            if not ready:
                raise HostError(f"processes in cgroup {directory} do not end")
            for fd, _ in ready:
                waiting.unregister(fd)
                remaining -= {pid for pid, pin in pinned.items() if pin == fd}
    finally:
        for fd in pinned.values():
            os.close(fd)


def _pin(pid: int) -> int:
    try:
        return pidfd_open(pid)
    except KernelError:  # it ended, or (0) it lives in another pid namespace
        return -1


def _wait_until_empty(directory: str) -> None:
    """Wait for "populated 0" in cgroup.events, which the kernel announces to poll(2)."""
    deadline = time.monotonic() + PATIENCE_S
    with open(f"{directory}/cgroup.events", encoding="utf-8") as events:
        changed = select.poll()
        changed.register(events, select.POLLPRI)
        while "populated 1" in events.read():
            if not changed.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise HostError(f"processes in cgroup {directory} do not end")
            events.seek(0)
