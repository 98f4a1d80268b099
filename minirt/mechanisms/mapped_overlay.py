"""Overlay for a user namespace of root's: layers whose owners are mapped like the container's.

The image's files belong to root on disk; in the namespace that is nobody. The host makes an
id-mapped copy of each layer's mount (mount_setattr(2), MOUNT_ATTR_IDMAP), so that root's files
are the container's root's, stacks them, and hands the finished mount to the child.
"""

from __future__ import annotations

import os

from minirt.apart import in_mount_namespace
from minirt.errors import KernelError
from minirt.linux.mount import (
    MOUNT_ATTR_IDMAP,
    MOUNT_ATTR_NODEV,
    make,
    mount_setattr,
    move_mount,
    open_tree,
)
from minirt.linux.namespaces import open_namespace
from minirt.mechanism import Mechanism
from minirt.writable_layer import MERGED, UPPER, WORK, make_writable_layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context


class MappedOverlay(Mechanism):
    """Like Overlay, for `layers` that belong to the host's root; `owner` is root inside."""

    name = "overlay"

    def __init__(self, layers: tuple[str, ...], owner: tuple[int, int]) -> None:
        self.layers = layers
        self.owner = owner

    def prepare(self, ctx: Context) -> None:
        make_writable_layer(ctx.directory, self.owner)
        for number in range(len(self.layers)):
            os.mkdir(f"{ctx.directory}/l{number}", 0o700)

    # --8<-- [start:mapped_overlay]
    def attach(self, ctx: Context) -> None:
        user_namespace = open_namespace(f"/proc/{ctx.pid}/ns/user")
        # Until Linux 6.15 overlayfs takes no layer whose mount is attached nowhere.
        tree = in_mount_namespace(lambda: self.stack(ctx.directory, user_namespace))
        ctx.send_fd(tree)
        os.close(tree)
        os.close(user_namespace)

    def stack(self, directory: str, user_namespace: int) -> int:
        """The overlay, of names that are short and show no path of the host, as in Overlay."""
        os.chdir(directory)
        for number, layer in enumerate(self.layers):
            mapped = open_tree(layer)
            mount_setattr(mapped, MOUNT_ATTR_IDMAP, userns_fd=user_namespace)
            move_mount(mapped, os.open(f"l{number}", os.O_PATH | os.O_CLOEXEC))
        lowest_last = ":".join(f"l{n}" for n in reversed(range(len(self.layers))))
        options = [("lowerdir", lowest_last), ("upperdir", UPPER), ("workdir", WORK)]
        return make("overlay", [("source", "overlay"), *options], MOUNT_ATTR_NODEV)

    def enter(self, ctx: Context) -> None:
        ctx.root = ctx.take_fd()
        target = self.mount_point(f"{ctx.directory}/{MERGED}")
        move_mount(ctx.root, target)
        os.close(target)

    # --8<-- [end:mapped_overlay]

    def mount_point(self, path: str) -> int:
        try:
            return os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            raise KernelError(
                "root inside cannot reach the container's directory",
                call=f'open("{path}")',
                errno=error.errno or 0,
                hint=f"it is user {self.owner[0]} outside, and needs x on every directory above"
                " (chmod o+x); or set MINIRT_STATE to another one",
            ) from None

    def describe(self) -> str:
        return (
            f"overlay: {len(self.layers)} read-only layer(s), owners mapped, a writable one on top"
        )
