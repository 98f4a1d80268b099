"""Failures to provoke, each registered with the row of the table of hints that it should meet."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from confined import confined

from minirt.context import Context
from minirt.errors import KernelError
from minirt.linux import caps, mount
from minirt.linux.clone import clone3
from minirt.linux.ending import wait
from minirt.linux.namespaces import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    unshare,
)
from minirt.linux.process import PR_SET_DUMPABLE, prctl
from minirt.mechanisms.user import User

if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.mechanism import Mechanism

PROVOKED: dict[tuple[str, ...], list[Callable[[], object]]] = {}
WIDE = ((0, 100_000, 65_536),)
NARROW = ((0, 100_000, 10),)
USER = 1000


def provokes(*key: str) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Register a function that runs into the failure of one row, in a process of its own."""

    def register(function: Callable[[], object]) -> Callable[[], object]:
        PROVOKED.setdefault(key, []).append(function)
        return function

    return register


def ordinary_user() -> None:
    os.setgroups(())
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    prctl(PR_SET_DUMPABLE, 1, what="cannot become dumpable")


def run(*plan: Mechanism) -> None:
    with confined(*plan):
        pass


def own_mounts() -> None:
    """A mount namespace of this process' own, and a tmpfs in it at /mnt."""
    unshare(CLONE_NEWNS)
    mount.make_private()
    mount.mount("tmpfs", "/mnt", "tmpfs")


def in_namespaces(flags: int, function: Callable[[], object]) -> None:
    """Run `function` in a child as root of new namespaces; raise its KernelError here."""
    read, write = os.pipe()
    pid, pidfd = clone3(flags)
    if pid == 0:
        try:
            os.close(write)
            os.read(read, 1)
            function()
        except KernelError as error:
            os._exit(REPORTED.index((error.call, error.errno)) + 1)
        finally:
            os._exit(0)
    if flags & CLONE_NEWUSER:
        ctx = Context("test", "", "")
        ctx.pid = pid
        User(WIDE, WIDE).attach(ctx)
    os.close(read)
    os.close(write)
    if status := wait(pidfd):
        raise KernelError("inside", call=REPORTED[status - 1][0], errno=REPORTED[status - 1][1])


# What a grandchild may fail with; its exit status is the number of the entry.
REPORTED = (
    ("fsmount(proc, 0)", 1),
    ("fsconfig(proc, CMD_CREATE)", 1),
    ("clone3(CLONE_NEWUSER|CLONE_PIDFD)", 28),
    ("unshare(CLONE_NEWUTS)", 28),
)


def lose(name: str) -> None:
    """Give up one permitted capability."""
    _, permitted, _ = caps.capget()
    left = permitted & ~caps.mask((name,))
    caps.capset(left, left, 0)
