"""The processes in a cgroup: list them, send them signals, see them end."""

from __future__ import annotations

import os
import select
import time

from minirt.errors import HostError, KernelError
from minirt.linux import freezer
from minirt.linux.cgroup_files import read, write
from minirt.linux.process import SIGKILL, pidfd_open, pidfd_send_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

ATTEMPTS = 100  # as often as cgroupfs tries
PATIENCE_S = 10.0


def members(directory: str) -> list[int]:
    """The processes in the cgroup and its children, as pids of our own namespace."""
    found: list[int] = []
    for path, _, _ in os.walk(directory):
        found += [int(pid) for pid in read(path, "cgroup.procs").split()]
    return found


def signal_all(directories: Sequence[str], signal: int) -> None:
    """Send `signal` to every process in one container's cgroups, also to those being born.

    SIGKILL by the kernel itself where it can (cgroup.kill), else while all stand still.
    """
    still = freezer.place(directories)
    killers = [d for d in directories if os.path.exists(f"{d}/cgroup.kill")]
    if signal == SIGKILL and killers:
        write(killers[0], "cgroup.kill", "1")
    elif still:
        _signal_frozen(still, signal)
    else:
        for directory in directories[:1]:
            _signal(directory, signal)
    if signal == SIGKILL and still:
        freezer.thaw(still)  # version 1 kills the frozen only then


def _signal_frozen(directory: str, signal: int) -> None:
    """With what could fork at a standstill; what was paused before remains so."""
    paused = freezer.frozen(directory)
    if not paused:
        freezer.freeze(directory)
    try:
        _signal(directory, signal)
    finally:
        if not paused:
            freezer.thaw(directory)


def _signal(directory: str, signal: int) -> None:
    for pid in members(directory):
        pidfd = _pin(pid)
        if pidfd >= 0:
            # Frozen, it could not have ended and left its pid to another one since it was listed.
            pidfd_send_signal(pidfd, signal)
            os.close(pidfd)


def kill(directory: str) -> None:
    """Kill every process in the cgroup and its children, and wait until they are gone."""
    if not members(directory):
        return
    if os.path.exists(f"{directory}/{freezer.V1}"):
        freezer.thaw(directory)
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
