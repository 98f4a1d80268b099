"""The devices and links of /dev: what every program expects, and what `linux.devices` adds."""

from __future__ import annotations

import os
import stat

from minirt.errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.reader import Reader

# name: (major, minor), from Documentation/admin-guide/devices.txt.
NODES = {
    "null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
    "tty": (5, 0),
}  # fmt: skip
LINKS = {
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx", "core": "/proc/kcore",
}  # fmt: skip
KINDS = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}
EVERYBODY = 0o666


class Node:
    """One device: where it is, what it is (S_IFCHR ... and its number), whose it is."""

    __slots__ = ("gid", "kind", "mode", "number", "path", "pointer", "uid")

    def __init__(self, path: str, kind: int, number: int, pointer: str = "") -> None:
        self.path = path
        self.kind = kind
        self.number = number
        self.pointer = pointer
        self.mode = EVERYBODY
        self.uid = self.gid = 0

    def describes(self, status: os.stat_result) -> bool:
        """Whether `status` is that of this very device."""
        return stat.S_IFMT(status.st_mode) == self.kind and status.st_rdev == self.number


def default_nodes() -> list[Node]:
    return [
        Node(f"/dev/{name}", stat.S_IFCHR, os.makedev(major, minor))
        for name, (major, minor) in NODES.items()
    ]


def nodes_of(linux: Reader) -> list[Node]:
    """Those of `linux.devices`. Not /dev/ptmx, which is a link to the container's own devpts."""
    nodes = [_node(entry) for entry in linux.objects("devices")]
    return [node for node in nodes if node.path != "/dev/ptmx"]


def _node(entry: Reader) -> Node:
    path, kind = os.path.normpath(entry.text("path")), entry.text("type")
    if not path.startswith("/"):
        raise ConfigError("must be an absolute path", pointer=entry.where("path"))
    if kind not in KINDS:
        raise ConfigError(
            f'"{kind}" is not a type of device',
            pointer=entry.where("type"),
            hint="use c, b, u (as c) or p",
        )
    number = 0
    if kind != "p":
        number = os.makedev(_half(entry, "major"), _half(entry, "minor"))
    node = Node(path, KINDS[kind], number, entry.pointer)
    node.mode = stat.S_IMODE(_unsigned(entry, "fileMode", EVERYBODY))  # engines add the type
    node.uid, node.gid = _unsigned(entry, "uid"), _unsigned(entry, "gid")
    return node


def _unsigned(entry: Reader, name: str, default: int = 0) -> int:
    number = entry.number(name, default)
    if not 0 <= number < 0xFFFFFFFF:
        raise ConfigError(f"{number} is not a number of 32 bits", pointer=entry.where(name))
    return number


def _half(entry: Reader, name: str) -> int:
    number = entry.number(name, -1)
    if not 0 <= number < 1 << (12 if name == "major" else 20):
        raise ConfigError(f"{number} is not a {name} number", pointer=entry.where(name))
    return number


def make_links(dev: int) -> None:
    """Make the usual links in the directory `dev`; what the image has already stays."""
    for name, target in LINKS.items():
        try:
            os.symlink(target, name, dir_fd=dev)
        except FileExistsError:
            pass
