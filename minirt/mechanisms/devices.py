"""Devices: the few nodes of /dev that every program expects, and no others (null(4)).

CAP_MKNOD is among the capabilities that root inside keeps, so whoever has it can make a node of
the host's disk. It must not be possible to open it: every other mount of the container is nodev,
/dev included, and the host's harmless nodes are bind-mounted over empty files, one by one.
"""

from __future__ import annotations

import os
import stat

from minirt.errors import HostError
from minirt.filetree.nodes import LINKS, NODES, make_links
from minirt.linux.files import make_file, openat2
from minirt.linux.mount import (
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    mount_setattr,
    move_mount,
    open_tree,
)
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

# A node of a read-only mount can be written to, but root inside cannot change the host's node:
# its mode, for one.
ATTRIBUTES = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC


class Devices(Mechanism):
    """Fill /dev with the host's harmless nodes and the usual links; HostError if one is missing."""

    name = "devices"

    # --8<-- [start:devices]
    def enter(self, ctx: Context) -> None:
        for name, (major, minor) in NODES.items():
            self.bind(ctx.root, f"/dev/{name}", os.makedev(major, minor))
        dev = openat2(ctx.root, "/dev", os.O_RDONLY | os.O_DIRECTORY)
        make_links(dev)
        os.close(dev)

    def bind(self, root: int, path: str, number: int) -> None:
        node = open_tree(path)
        require_usable(node, path, number)
        mount_setattr(node, ATTRIBUTES)
        target = make_file(root, path)
        move_mount(node, target)
        os.close(target)
        os.close(node)

    # --8<-- [end:devices]

    def describe(self) -> str:
        return f"devices: {', '.join(NODES)} (the host's, bind-mounted)"

    def by_hand(self) -> list[str]:
        nodes = []
        for name in NODES:
            target = f'"$dir/rootfs/dev/{name}"'
            nodes += [f"touch {target}", f"mount --bind -o ro,nosuid,noexec /dev/{name} {target}"]
        return nodes + [f'ln -s {to} "$dir/rootfs/dev/{name}"' for name, to in LINKS.items()]


def require_usable(node: int, path: str, number: int) -> None:
    """The host's `path` is the device of that name, and where it lies a device can be opened."""
    status = os.fstat(node)
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != number:
        raise HostError(
            f"the host's {path} is not the device of that name", hint="mount a devtmpfs on /dev"
        )
    if os.fstatvfs(node).f_flag & os.ST_NODEV:
        raise HostError(
            f"the host's {path} cannot be opened: it lies on a file system mounted nodev",
            hint="mount -o remount,dev /dev",
        )
