"""Rootfs without a mount namespace: what is mounted in it is mounted on the host.

So it is taken away again when the container is deleted. The specification allows it; the
container is then not isolated from the host's mounts.
"""

from __future__ import annotations

import os

from minirt.errors import ConfigError
from minirt.linux.mount import (
    MNT_DETACH,
    MS_PRIVATE,
    UMOUNT_NOFOLLOW,
    mount_setattr,
    move_mount,
    open_tree,
    umount2,
)
from minirt.linux.mountinfo import mounts
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class HostRootfs(Mechanism):
    """Bind `path` (an absolute directory) to itself on the host, as the root of the container."""

    name = "rootfs"

    def __init__(self, path: str) -> None:
        self.path = path

    def prepare(self, ctx: Context) -> None:
        if not os.path.isdir(self.path):
            raise ConfigError(f"{self.path} is not a directory", pointer="/root/path")
        # The directory may be a mount point already, and that mount is not ours to remove.
        ctx.record(self.name, [self.path, mounted_on(self.path)])

    def enter(self, ctx: Context) -> None:
        tree = open_tree(self.path, recursive=True)
        mount_setattr(tree, propagation=MS_PRIVATE, recursive=True)
        target = os.open(self.path, os.O_PATH | os.O_CLOEXEC)
        move_mount(tree, target)
        os.close(target)
        ctx.root = tree

    def teardown(self, ctx: Context) -> None:
        recorded = ctx.created.get(self.name)
        if not isinstance(recorded, (list, tuple)):
            return
        path, before = str(recorded[0]), int(str(recorded[1]))
        while mounted_on(path) > before:
            umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW)

    def describe(self) -> str:
        return f"rootfs: {self.path} becomes the root, in the host's own mount table"


def mounted_on(path: str) -> int:
    """How many mounts lie on `path`, one over the other."""
    return sum(mount.mountpoint == path for mount in mounts())
