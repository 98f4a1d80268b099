"""chroot: a root without pivot_root, where that cannot be (chroot(2)).

It only changes where "/" starts; who has CAP_SYS_CHROOT walks out of it. It is for a container
without a mount namespace, and, with the root moved over the old one as switch_root(8) does, for
a host that runs in its initramfs (`--no-pivot`).
"""

from __future__ import annotations

import errno
import os

from minirt.errors import KernelError
from minirt.linux.mount import (
    MNT_DETACH,
    MOUNT_ATTR_RDONLY,
    UMOUNT_NOFOLLOW,
    mount,
    mount_setattr,
    move_mount,
    umount2,
)
from minirt.linux.mountinfo import mounts
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
            take_away_whole_views(os.readlink(f"/proc/self/fd/{ctx.root}"))
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


def take_away_whole_views(root: str) -> None:
    """Unmount the host's procfs and sysfs, which stay in this mount namespace without pivot_root.

    Who finds one there on which nothing is masked may mount a new one in a user namespace of
    their own (mount_namespaces(7), "Restrictions on mount namespaces"), and masks none of it.
    """
    for entry in reversed(mounts()):
        inside = f"{entry.mountpoint}/".startswith(f"{root}/")
        if entry.fstype not in ("proc", "sysfs") or inside:
            continue
        try:
            umount2(entry.mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW)
        except KernelError as error:
            if error.errno != errno.EINVAL:
                raise
            mount("tmpfs", entry.mountpoint, "tmpfs")  # a user namespace's mounts are locked
