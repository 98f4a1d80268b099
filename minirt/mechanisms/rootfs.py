"""Rootfs: a directory of the bundle as the container's root (OCI runtime-spec, `root`).

pivot_root(2) wants a mount, and one of this mount namespace: so the directory is bind-mounted
onto itself. What is written there stays there: a writable layer is its owner's affair.
"""

from __future__ import annotations

import os

from minirt.errors import ConfigError
from minirt.linux.command import quoted_path
from minirt.linux.mount import move_mount, open_tree
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Rootfs(Mechanism):
    """Make `path` (an absolute directory on the host), with what is mounted in it, the root."""

    name = "rootfs"

    def __init__(self, path: str) -> None:
        self.path = path

    def prepare(self, ctx: Context) -> None:
        if not os.path.isdir(self.path):
            raise ConfigError(f"{self.path} is not a directory", pointer="/root/path")

    def enter(self, ctx: Context) -> None:
        tree = ctx.trees.pop("/root", 0) or open_tree(self.path, recursive=True)
        target = os.open(self.path, os.O_PATH | os.O_CLOEXEC)
        move_mount(tree, target)
        os.close(target)
        ctx.root = tree  # the descriptor now names the container's root directory

    def describe(self) -> str:
        return f"rootfs: {self.path} becomes the root"

    def by_hand(self) -> list[str]:
        return [f'mkdir -p "$dir/rootfs" && mount --rbind {quoted_path(self.path)} "$dir/rootfs"']
