"""Device nodes: made by mknod(2), for a /dev that an engine wants without nodev.

What may be opened is then the business of the cgroup's device rules. In a user namespace the
kernel makes no devices, and there the host's are bind-mounted, as in the lessons.
"""

from __future__ import annotations

import errno
import os
import stat

from minirt.errors import ConfigError, HostError
from minirt.filetree.nodes import make_links
from minirt.linux.calls import failed
from minirt.linux.files import make_directories, make_file, openat2
from minirt.linux.mount import (
    MOUNT_ATTR_NOEXEC,
    MOUNT_ATTR_NOSUID,
    mount_setattr,
    move_mount,
    open_tree,
)
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.filetree.nodes import Node


class DeviceNodes(Mechanism):
    """Make `nodes`, and the usual links; with `bound` each is the host's of the same path."""

    name = "devices"

    def __init__(self, nodes: list[Node], *, bound: bool) -> None:
        self.nodes = nodes
        self.bound = bound

    def enter(self, ctx: Context) -> None:
        umask = os.umask(0)
        for node in self.nodes:
            if self.bound or not self.make(ctx.root, node):
                self.bind(ctx.root, node)
        os.umask(umask)
        dev = make_directories(ctx.root, "/dev")
        make_links(dev)
        os.close(dev)

    def make(self, root: int, node: Node) -> bool:
        """Make one node; False where the kernel does not allow it."""
        directory, _, name = node.path.rpartition("/")
        parent = make_directories(root, directory)
        try:
            if not node.pointer and self.is_there(parent, name, node):
                return True
            self.clear(parent, name)
            os.mknod(name, node.kind | node.mode, node.number, dir_fd=parent)
            os.chown(name, node.uid, node.gid, dir_fd=parent, follow_symlinks=False)
        except PermissionError:
            return False
        except OSError as error:
            if error.errno == errno.EBUSY:  # the configuration mounts its own there
                return True
            raise failed(f"cannot make the device {node.path}", "mknod", error) from None
        finally:
            os.close(parent)
        # Whoever shares the tree may have put something else there meanwhile.
        made = openat2(root, node.path, os.O_PATH | os.O_NOFOLLOW)
        self.require(made, node, f"{node.path} inside")
        os.close(made)
        return True

    def is_there(self, parent: int, name: str, node: Node) -> bool:
        """Whether the usual node is there, as where the root is the host's own."""
        try:
            return node.describes(os.stat(name, dir_fd=parent, follow_symlinks=False))
        except FileNotFoundError:
            return False

    def clear(self, parent: int, name: str) -> None:
        """An image may bring anything of this name."""
        try:
            os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            pass

    def bind(self, root: int, node: Node) -> None:
        if node.kind == stat.S_IFIFO:
            raise ConfigError("a pipe cannot be made here", pointer=node.pointer)
        tree = open_tree(node.path)
        self.require(tree, node, f"the host's {node.path}")
        mount_setattr(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC)
        target = make_file(root, node.path)
        move_mount(tree, target)
        os.close(target)
        os.close(tree)

    def require(self, fd: int, node: Node, path: str) -> None:
        if not node.describes(os.fstat(fd)):
            raise HostError(f"{path} is not the device of that name")

    def describe(self) -> str:
        names = (node.path.removeprefix("/dev/") for node in self.nodes)
        return f"devices: {', '.join(names)}"
