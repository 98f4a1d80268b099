"""Masked paths: kernel files that a container must not read or write (proc(5)).

/proc and /sys are one kernel's for all containers. Root without a single capability still owns
/proc/sysrq-trigger and /proc/sys/kernel/core_pattern, so these are covered or made read-only.
"""

from __future__ import annotations

import os
import stat

from minirt.errors import HostError, KernelError
from minirt.linux.files import is_directory, openat2
from minirt.linux.mount import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    make,
    mount_setattr,
    move_mount,
    open_tree,
)
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.context import Context

NULL_DEVICE = os.makedev(1, 3)
HARDEST = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC


class MaskedPaths(Mechanism):
    """Cover `masked` with nothing, and make `readonly` read-only; absent paths are passed over."""

    name = "masked_paths"

    def __init__(self, masked: tuple[str, ...], readonly: tuple[str, ...]) -> None:
        self.masked = masked
        self.readonly = readonly
        self.null = -1

    def enter(self, ctx: Context) -> None:
        # The host's node, while it can be seen: the image's could be anything (CVE-2025-31133).
        self.null = os.open("/dev/null", os.O_PATH | os.O_CLOEXEC)
        status = os.fstat(self.null)
        if not stat.S_ISCHR(status.st_mode) or status.st_rdev != NULL_DEVICE:
            raise HostError("/dev/null is not the null device", hint="repair the host's /dev/null")

    # --8<-- [start:masked]
    def seal(self, ctx: Context) -> None:
        for path in self.readonly:
            self.cover(ctx.root, path, self.read_only_copy)
        for path in self.masked:
            self.cover(ctx.root, path, self.nothing)
        os.close(self.null)

    # --8<-- [end:masked]

    def cover(self, root: int, path: str, make_cover: Callable[[int], int]) -> None:
        """Mount over `path` what `make_cover` makes of it; the kernel may not have the file."""
        try:
            target = openat2(root, path)
        except KernelError as error:
            if error.errno_name() in ("ENOENT", "ENOTDIR"):
                return
            raise
        tree = make_cover(target)
        move_mount(tree, target)
        os.close(tree)
        os.close(target)

    def read_only_copy(self, target: int) -> int:
        tree = open_tree("", recursive=True, at=target)
        mount_setattr(tree, MOUNT_ATTR_RDONLY, recursive=True)
        return tree

    def nothing(self, target: int) -> int:
        if is_directory(target):
            return make("tmpfs", (("size", "0"), ("mode", "755")), HARDEST)
        return open_tree("", at=self.null)

    def describe(self) -> str:
        return f"masked paths: {len(self.masked)} hidden, {len(self.readonly)} read-only"
