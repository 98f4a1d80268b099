"""Overlay: one file tree from read-only layers and a writable one (overlayfs.rst).

lowerdir   the image's layers, never written to, shared by all containers of the image
upperdir   what this container changes: a file is copied up when it is first written
workdir    where overlayfs prepares a change before it moves it to upperdir
"""

from __future__ import annotations

import os

from minirt.errors import ConfigError
from minirt.linux.command import quoted
from minirt.linux.mount import MOUNT_ATTR_NODEV, make, move_mount
from minirt.mechanism import Mechanism
from minirt.writable_layer import MERGED, UPPER, WORK, make_writable_layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class Overlay(Mechanism):
    """Mount `layers` (absolute directories, lowest first) below a fresh upperdir.

    `owner` is the host (uid, gid) that will be root inside: it must own what it may write.
    `options` are further overlay options, such as userxattr in a user namespace.
    """

    name = "overlay"

    def __init__(
        self, layers: tuple[str, ...], owner: tuple[int, int], options: tuple[str, ...] = ()
    ) -> None:
        self.layers = layers
        self.owner = owner
        self.options = options

    def prepare(self, ctx: Context) -> None:
        for number, layer in enumerate(self.layers):
            if not os.path.isdir(layer):
                raise ConfigError(
                    f"{layer} is not a directory", pointer="rootfs", hint="name a directory"
                )
            # Short relative names: an option has at most 256 bytes, and the container can
            # read them in its own mountinfo, where a path of the host has no business.
            os.symlink(layer, f"{ctx.directory}/l{number}")
        make_writable_layer(ctx.directory, self.owner)

    # --8<-- [start:overlay]
    def enter(self, ctx: Context) -> None:
        os.chdir(ctx.directory)
        lowest_last = ":".join(f"l{n}" for n in reversed(range(len(self.layers))))
        tree = make(
            "overlay",
            [
                ("source", "overlay"),
                ("lowerdir", lowest_last),
                ("upperdir", UPPER),
                ("workdir", WORK),
                *((option, "") for option in self.options),
            ],
            MOUNT_ATTR_NODEV,
        )
        target = os.open(MERGED, os.O_PATH | os.O_CLOEXEC)
        move_mount(tree, target)
        os.close(target)
        ctx.root = tree  # the descriptor now names the container's root directory

    # --8<-- [end:overlay]

    def describe(self) -> str:
        return f"overlay: {len(self.layers)} read-only layer(s) and a writable one on top"

    def by_hand(self) -> list[str]:
        lower = quoted(":".join(reversed(self.layers)))
        options = f'nodev,lowerdir={lower},upperdir="$dir"/upper,workdir="$dir"/work'
        return [
            'mkdir -p "$dir/upper" "$dir/work" "$dir/rootfs"',
            f'mount -t overlay overlay -o {options} "$dir/rootfs"',
        ]
