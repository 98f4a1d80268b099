"""Pivot: leave the host's file tree for good (pivot_root(2)).

chroot(2) only changes where "/" starts, and a privileged process walks out of it; pivot_root
changes the root mount itself, and the old one is then unmounted: there is nothing to walk to.
"""

from __future__ import annotations

import os

from minirt.linux.mount import MNT_DETACH, MOUNT_ATTR_RDONLY, mount_setattr, pivot_root, umount2
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Pivot(Mechanism):
    """Make ctx.root the root of the mount namespace; `readonly` afterwards if asked."""

    name = "pivot"

    def __init__(self, *, readonly: bool = False) -> None:
        self.readonly = readonly

    # --8<-- [start:pivot]
    def seal(self, ctx: Context) -> None:
        os.fchdir(ctx.root)
        pivot_root(".", ".")  # the old root is now mounted on top of the new one
        umount2(".", MNT_DETACH)  # and gone
        os.chdir("/")
        # --8<-- [end:pivot]
        os.close(ctx.root)
        ctx.root = os.open("/", os.O_PATH | os.O_CLOEXEC)
        if self.readonly:
            mount_setattr(ctx.root, MOUNT_ATTR_RDONLY)  # a remount would drop nodev

    def describe(self) -> str:
        return "pivot_root: the layers are the root, the host's tree is unmounted"

    def by_hand(self) -> list[str]:
        return [
            'cd "$dir/rootfs" && mkdir .old',
            "pivot_root . .old",  # umount(8) wants a name for the old root
            "umount -l /.old && rmdir /.old",
        ]
