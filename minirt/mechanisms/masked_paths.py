"""Masked paths: kernel files that a container must not read or write (proc(5)).

/proc and /sys are one kernel's for all containers. Root without a single capability still owns
/proc/sysrq-trigger and /proc/sys/kernel/core_pattern, so these are covered or made read-only.
"""

from __future__ import annotations

import os
import stat

from minirt.errors import HostError, KernelError
from minirt.linux.files import is_directory, openat2
from minirt.linux.mount import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    make,
    mount_setattr,
    move_mount,
    open_tree,
)
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.context import Context

NULL_DEVICE = os.makedev(1, 3)
HARDEST = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC


class MaskedPaths(Mechanism):
    """Cover `masked` with nothing, and make `readonly` read-only; absent paths are passed over."""

    name = "masked_paths"

    def __init__(self, masked: tuple[str, ...], readonly: tuple[str, ...]) -> None:
        self.masked = masked
        self.readonly = readonly

    # --8<-- [start:masked]
    def seal(self, ctx: Context) -> None:
        for path in self.readonly:
            self.cover(ctx.root, path, self.read_only_copy)
        for path in self.masked:
            self.cover(ctx.root, path, self.nothing(ctx.root))

    # --8<-- [end:masked]

    def cover(self, root: int, path: str, make_cover: Callable[[int], int]) -> None:
        """Mount over `path` what `make_cover` makes of it; the kernel may not have the file."""
        try:
            target = openat2(root, path)
        except KernelError as error:
            if error.errno_name() in ("ENOENT", "ENOTDIR"):
                return
            raise
        tree = make_cover(target)
        move_mount(tree, target)
        os.close(tree)
        os.close(target)

    def read_only_copy(self, target: int) -> int:
        tree = open_tree("", recursive=True, at=target)
        mount_setattr(tree, MOUNT_ATTR_RDONLY, recursive=True)
        return tree

    def nothing(self, root: int) -> Callable[[int], int]:
        """What hides a path: an empty directory over a directory, /dev/null over a file."""

        def cover(target: int) -> int:
            if is_directory(target):
                return make("tmpfs", (("mode", "755"),), HARDEST)
            null = null_device(root)
            try:
                return open_tree("", at=null)
            finally:
                os.close(null)

        return cover

    def by_hand(self) -> list[str]:
        hide = 'if [ -d "$path" ]; then mount -t tmpfs -o ro tmpfs "$path"; '
        hide += 'elif [ -e "$path" ]; then mount --bind /dev/null "$path"; fi'
        protect = 'if [ -e "$path" ]; then mount --rbind "$path" "$path"; '
        protect += 'mount -o remount,bind,ro "$path"; fi'
        return [
            f'for path in {" ".join(paths)}; do path="$dir/rootfs$path"; {act}; done'
            for paths, act in ((self.readonly, protect), (self.masked, hide))
            if paths
        ]

    def describe(self) -> str:
        return f"masked paths: {len(self.masked)} hidden, {len(self.readonly)} read-only"


def null_device(root: int) -> int:
    """/dev/null inside, and really that device: an image may bring another (CVE-2025-31133)."""
    fd = openat2(root, "/dev/null")
    status = os.fstat(fd)
    if not stat.S_ISCHR(status.st_mode) or status.st_rdev != NULL_DEVICE:
        os.close(fd)
        raise HostError("/dev/null inside is not the null device", hint="do not mount over /dev")
    return fd
