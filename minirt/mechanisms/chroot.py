"""chroot: a root without pivot_root, where that cannot be (chroot(2)).

It only changes where "/" starts; who has CAP_SYS_CHROOT walks out of it. It is for a container
without a mount namespace, and, with the root moved over the old one as switch_root(8) does, for
a host that runs in its initramfs (`--no-pivot`).
"""

from __future__ import annotations

import os

from minirt.linux.mount import MOUNT_ATTR_RDONLY, mount_setattr, move_mount
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Chroot(Mechanism):
    """Make ctx.root the root of this process; `moved`: of the mount namespace as far as can be."""

    name = "pivot"

    def __init__(self, *, moved: bool, readonly: bool) -> None:
        self.moved = moved
        self.readonly = readonly

    def seal(self, ctx: Context) -> None:
        if self.moved:
            top = os.open("/", os.O_PATH | os.O_CLOEXEC)
            move_mount(ctx.root, top)
            os.close(top)
        os.fchdir(ctx.root)
        os.chroot(".")
        os.chdir("/")
        if self.readonly:
            mount_setattr(ctx.root, MOUNT_ATTR_RDONLY)

    def describe(self) -> str:
        return "chroot: the root, from where one with the right to can walk out"
