"""Sources that only the host can open or map: for user namespaces and for mapped ids.

Root inside is an ordinary user outside, whom a directory on the way may keep out; and mapping
the ids of a mount takes power over its file system (mount_setattr(2), MOUNT_ATTR_IDMAP). So the
host copies the mounts and hands them over.
"""

from __future__ import annotations

import os

from minirt.linux.id_maps import user_namespace
from minirt.linux.mount import MOUNT_ATTR_IDMAP, mount_setattr
from minirt.linux.namespaces import open_namespace
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.filetree.mount import Mount


class HostSources(Mechanism):
    """Copy the sources of `mounts`, map their ids where that is asked for, send them inside."""

    name = "sources"

    def __init__(self, mounts: tuple[Mount, ...]) -> None:
        self.mounts = mounts

    def attach(self, ctx: Context) -> None:
        for mount in self.mounts:
            tree = mount.make()
            if mount.id_mapping:
                self.map_ids(ctx, mount, tree)
            mount.change(tree)
            ctx.send_fd(tree)
            os.close(tree)

    def enter(self, ctx: Context) -> None:
        for mount in self.mounts:
            ctx.trees[mount.pointer] = ctx.take_fd()

    def map_ids(self, ctx: Context, mount: Mount, tree: int) -> None:
        """By the mount's own maps, else by those of the container."""
        if mount.uid_maps:
            namespace = user_namespace(mount.uid_maps, mount.gid_maps)
        else:
            namespace = open_namespace(f"/proc/{ctx.pid}/ns/user")
        recursive = mount.id_mapping == "ridmap"
        mount_setattr(tree, MOUNT_ATTR_IDMAP, userns_fd=namespace, recursive=recursive)
        os.close(namespace)

    def describe(self) -> str:
        return f"sources: {', '.join(m.destination for m in self.mounts)} handed in by the host"
