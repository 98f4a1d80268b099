"""Run from an interpreter that no container can write to (CVE-2019-5736).

Until its execve, a process that enters a container is this host's Python, and /proc/PID/exe
leads whoever may follow it there to that file. So it runs from a read-only mount of it: what is
opened through a mount cannot be written where the mount forbids it, whoever asks.

The launcher's first line names that mount. Underneath, where nothing is mounted yet since the
last boot, lies a shell script which starts the real interpreter; that comes here, makes the
mount, and starts anew from it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

EXE = "/proc/self/exe"


def protect(place: str, interpreter: str) -> None:
    """Go on from the read-only mount of `interpreter` at `place`; make it if it is missing.

    An ordinary user cannot, and need not where they may not write to the interpreter.
    """
    if is_current(EXE, interpreter) and is_read_only(EXE):
        return
    if os.geteuid() == 0 and mounted(place, interpreter):
        start_from(place)


def is_current(path: str, interpreter: str) -> bool:
    """Whether `path` is the interpreter as it is now: an update puts another file in its place.

    Where this user cannot see that file, it is: they can start nothing else.
    """
    try:
        return os.path.samestat(os.stat(path), os.stat(interpreter))
    except PermissionError:
        return True


def is_read_only(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def mounted(place: str, interpreter: str) -> bool:
    """Mount `interpreter` read-only at `place`; False where this root may not mount."""
    from minirt.errors import KernelError
    from minirt.linux.mount import (
        MOUNT_ATTR_NODEV,
        MOUNT_ATTR_NOSUID,
        MOUNT_ATTR_RDONLY,
        mount_setattr,
        move_mount,
        open_tree,
    )

    if is_current(place, interpreter) and is_read_only(place):
        return True  # another call was quicker
    release(place)
    try:
        tree = open_tree(interpreter)
        mount_setattr(tree, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
        target = os.open(place, os.O_PATH | os.O_CLOEXEC)
        move_mount(tree, target)
        os.close(target)
        os.close(tree)
    except KernelError:
        return False
    return is_current(place, interpreter) and is_read_only(place)


def release(place: str) -> bool:
    """Take away what is mounted at `place`; whether something was."""
    from minirt.errors import KernelError
    from minirt.linux.mount import MNT_DETACH, UMOUNT_NOFOLLOW, umount2

    found = False
    try:
        while True:  # two first calls at once may each have made it
            umount2(place, MNT_DETACH | UMOUNT_NOFOLLOW)
            found = True
    except KernelError:
        return found


def start_from(place: str) -> NoReturn:
    os.execv(place, [place, *sys.orig_argv[1:]])
