"""Sources: what is bound inside and stays connected to the host (mount_namespaces(7)).

A bind mount is shared with its source, or a slave of it, only if it is copied while the source
still is: before the container's mount table is cut off from the host's.
"""

from __future__ import annotations

from minirt.linux.mount import MS_SLAVE, mount_setattr, open_tree
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.filetree.mount import Mount


class Sources(Mechanism):
    """Copy the sources of `mounts`, and the root's directory `rootfs` if it is not ""."""

    name = "sources"

    def __init__(self, mounts: tuple[Mount, ...], rootfs: str) -> None:
        self.mounts = mounts
        self.rootfs = rootfs

    def enter(self, ctx: Context) -> None:
        for mount in self.mounts:
            ctx.trees[mount.pointer] = mount.make()
        if self.rootfs:
            tree = open_tree(self.rootfs, recursive=True)
            # To hear of the host's mounts, and not to pass on what we mount inside.
            mount_setattr(tree, propagation=MS_SLAVE, recursive=True)
            ctx.trees["/root"] = tree

    def describe(self) -> str:
        what = [mount.destination for mount in self.mounts] + (["the root"] if self.rootfs else [])
        return f"sources: {', '.join(what)} stay connected to the host"
