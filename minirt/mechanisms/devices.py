"""Devices: the few nodes of /dev that every program expects, and no others (null(4), mknod(2)).

A fresh tmpfs on /dev has none of the host's disks. A user namespace may not make nodes at all,
so there the host's harmless ones are bind-mounted instead.
"""

from __future__ import annotations

import os
import stat

from minirt.linux.calls import failed
from minirt.linux.files import make_file, openat2
from minirt.linux.mount import move_mount, open_tree
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

# name: (major, minor), from Documentation/admin-guide/devices.txt.
NODES = {
    "null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
    "tty": (5, 0),
}  # fmt: skip
LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx", "core": "/proc/kcore",
}  # fmt: skip


class Devices(Mechanism):
    """Fill /dev: with new nodes, or (`bind`) with the host's bind-mounted over empty files."""

    name = "devices"

    def __init__(self, *, bind: bool) -> None:
        self.bind = bind

    # --8<-- [start:devices]
    def enter(self, ctx: Context) -> None:
        dev = openat2(ctx.root, "/dev", os.O_RDONLY | os.O_DIRECTORY)
        for name, (major, minor) in NODES.items():
            if self.bind:
                self.bind_node(ctx.root, name)
            else:
                self.make_node(dev, name, os.makedev(major, minor))
        for name, target in LINKS.items():
            os.symlink(target, name, dir_fd=dev)
        os.close(dev)

    # --8<-- [end:devices]

    def make_node(self, dev: int, name: str, number: int) -> None:
        try:
            os.mknod(name, stat.S_IFCHR | 0o666, number, dir_fd=dev)
            os.chmod(name, 0o666, dir_fd=dev)  # noqa: S103  (mknod obeys the umask)
        except OSError as error:
            raise failed(f"cannot make /dev/{name}", f'mknod("/dev/{name}")', error) from None

    def bind_node(self, root: int, name: str) -> None:
        tree = open_tree(f"/dev/{name}")
        target = make_file(root, f"/dev/{name}")
        move_mount(tree, target)
        os.close(target)
        os.close(tree)

    def describe(self) -> str:
        how = "bind-mounted from the host" if self.bind else "new nodes"
        return f"devices: {', '.join(NODES)} ({how})"

    def by_hand(self) -> list[str]:
        nodes = [
            f'mknod -m 666 "$dir/rootfs/dev/{name}" c {major} {minor}'
            for name, (major, minor) in NODES.items()
        ]
        return nodes + [f'ln -s {to} "$dir/rootfs/dev/{name}"' for name, to in LINKS.items()]
