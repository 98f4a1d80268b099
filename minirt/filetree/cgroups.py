"""/sys/fs/cgroup inside: the container's own cgroup of every hierarchy (cgroups(7)).

Version 2 alone is one file system. With version 1 it is a tmpfs with a mount for each
hierarchy, and links for controllers that share one. All is read from mountinfo: a directory of
the right name proves nothing.
"""

from __future__ import annotations

import os

from minirt.errors import KernelError
from minirt.linux.cgroups import hierarchies
from minirt.linux.files import make_directories
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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.linux.cgroups import Hierarchy

ATTRIBUTES = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC


class CgroupTree:
    """The mounts of one entry of type "cgroup"; `namespaced`: in a cgroup namespace of its own."""

    __slots__ = ("attributes", "namespaced", "version_1")

    def __init__(self, *, readonly: bool, namespaced: bool) -> None:
        self.attributes = ATTRIBUTES | (MOUNT_ATTR_RDONLY if readonly else 0)
        self.namespaced = namespaced
        self.version_1: list[Hierarchy] = []

    def make(self) -> int:
        """What goes to the mount point itself. By init, when it has joined its cgroups."""
        found = hierarchies()
        self.version_1 = [hierarchy for hierarchy in found if hierarchy.version == 1]
        if self.version_1 or not found:
            return make("tmpfs", (("source", "tmpfs"), ("mode", "755")), ATTRIBUTES)
        try:
            return make("cgroup2", (("source", "cgroup"),), self.attributes)
        except KernelError as error:
            # A user namespace without a cgroup namespace of its own may not.
            if error.errno_name() not in ("EPERM", "EBUSY"):
                raise
            return self.bind(found[0])

    def fill(self, tree: int) -> None:
        """The hierarchies of version 1, below the attached `tree`."""
        for hierarchy in self.version_1:
            name = os.path.basename(hierarchy.mountpoint)
            target = make_directories(tree, name)
            mount = self.mount(hierarchy) if self.namespaced else self.bind(hierarchy)
            move_mount(mount, target)
            os.close(mount)
            os.close(target)
            if "," in name:
                for controller in name.split(","):
                    os.symlink(name, controller, dir_fd=tree)
        if self.version_1:
            mount_setattr(tree, self.attributes)

    def mount(self, hierarchy: Hierarchy) -> int:
        """Its file system, which shows the root of our cgroup namespace."""
        options = [option.partition("=") for option in hierarchy.controllers]
        none = [("none", "")] if options[0][0] == "name" else []
        listed = [("source", "cgroup"), *none, *((key, value) for key, _, value in options)]
        return make("cgroup", listed, self.attributes)

    def bind(self, hierarchy: Hierarchy) -> int:
        """The directory of our own cgroup in it."""
        tree = open_tree(hierarchy.home())
        mount_setattr(tree, self.attributes)
        return tree
