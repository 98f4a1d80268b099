"""Mounts: /proc, /dev, /sys, volumes and what else the configuration lists (mount(8)).

Every mount is made on a descriptor and then attached to a directory that the kernel resolved
inside the container's root, so no symbolic link of the image can lead it elsewhere
(CVE-2021-30465).
"""

from __future__ import annotations

import os

from minirt.errors import ConfigError, KernelError, MinirtError
from minirt.linux.calls import failed
from minirt.linux.command import quoted, quoted_path
from minirt.linux.files import (
    RESOLVE_IN_ROOT,
    RESOLVE_NO_SYMLINKS,
    is_directory,
    make_directories,
    make_file,
    openat2,
)
from minirt.linux.mount import ATTRIBUTES
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.filetree.mount import Mount

# What is hidden in them is hidden by name: they must be where their names say.
OF_THE_KERNEL = ("proc", "sysfs")


class Mounts(Mechanism):
    """Make `mounts` inside the root, in their order, with the mount points they need."""

    name = "mounts"

    def __init__(self, mounts: tuple[Mount, ...]) -> None:
        self.mounts = mounts

    def prepare(self, ctx: Context) -> None:
        for mount in self.mounts:
            if mount.fstype == "bind" and not os.path.lexists(mount.source):
                raise ConfigError(
                    f"{mount.source} does not exist on the host",
                    pointer=mount.pointer,
                    hint=f"make it first: mkdir -p {mount.source}",
                )
            if mount.ignored:
                unknown = ", ".join(option.partition("=")[0] for option in mount.ignored)
                ctx.warn(f"{mount.destination}: a bind mount has no option {unknown}: ignored")

    # --8<-- [start:mounts]
    def enter(self, ctx: Context) -> None:
        for mount in self.mounts:
            try:
                tree = mount.make(ctx.trees.pop(mount.pointer, -1))
                mount.fill(ctx.root, tree)
                target = self.mount_point(ctx.root, mount, tree)
                mount.attach(tree, target)
            except MinirtError as error:
                raise mount.named(error) from None
            os.close(target)
            os.close(tree)

    # --8<-- [end:mounts]

    def mount_point(self, root: int, mount: Mount, tree: int) -> int:
        """A directory or a file at the destination, as the mount is one or the other."""
        path = mount.destination
        maker = make_directories if is_directory(tree) else make_file
        try:
            target = maker(root, path)
        except OSError as error:
            raise failed(f"cannot make the mount point {path}", "mkdir", error) from None
        if mount.fstype in OF_THE_KERNEL:
            os.close(target)
            target = without_links(root, path)
        if is_directory(target) != is_directory(tree):
            hint = "mount a directory on a directory and a file on a file"
            raise ConfigError(f"{path} is a directory, and what to mount is not", hint=hint)
        return target

    def describe(self) -> str:
        return "mounts: " + ", ".join(mount.destination for mount in self.mounts)

    def by_hand(self) -> list[str]:
        return [line for mount in self.mounts for line in by_hand(mount)]


def without_links(root: int, path: str) -> int:
    """Where `path` is; ConfigError if links lead there (CVE-2019-19921, CVE-2023-27561).

    This very descriptor is to be mounted on: who shares the tree could change it after a look.
    """
    try:
        return openat2(root, path, resolve=RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS)
    except KernelError as error:
        if error.errno_name() != "ELOOP":
            raise
        what = f"{path} must be mounted on ordinary directory, and is or is below a symbolic link"
        raise ConfigError(what, hint="have a directory there in the image, or nothing") from None


def by_hand(mount: Mount) -> list[str]:
    """mount(8) for one mount; $dir/rootfs is the container's root."""
    target = quoted_path(f"$dir/rootfs{mount.destination}")
    bits = mount.attributes.set | mount.deep.set
    attributes = [name for name, bit in ATTRIBUTES.items() if bits & bit]
    options = ",".join(attributes + [f"{k}={v}" if v else k for k, v in mount.data])
    flags = f" -o {quoted(options)}" if options else ""
    if mount.fstype == "bind":
        point = f"mkdir -p {target}" if os.path.isdir(mount.source) else f"touch {target}"
        bind = "--rbind" if mount.recursive else "--bind"
        return [point, f"mount {bind}{flags} {quoted_path(mount.source)} {target}"]
    fstype = quoted(mount.fstype)
    return [f"mkdir -p {target}", f"mount -t {fstype}{flags} {fstype} {target}"]
