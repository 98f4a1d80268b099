"""The eight namespaces: their CLONE_NEW* flags, unshare(2), setns(2). See namespaces(7)."""

from __future__ import annotations

import fcntl
import os

from minirt.errors import ConfigError
from minirt.linux.calls import check, failed, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NS_GET_NSTYPE = 0xB703  # ioctl_nsfs(2)
POINTER = "/linux/namespaces"
CLONE_NEWTIME = 0x80
CLONE_NEWNS = 0x20000
CLONE_NEWCGROUP = 0x2000000
CLONE_NEWUTS = 0x4000000
CLONE_NEWIPC = 0x8000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

# By their names under /proc/PID/ns. A user namespace is joined first: it grants the right to
# join the others; the mount namespace last: joining it changes what every path means.
FLAGS = {
    "user": CLONE_NEWUSER,
    "cgroup": CLONE_NEWCGROUP,
    "ipc": CLONE_NEWIPC,
    "uts": CLONE_NEWUTS,
    "net": CLONE_NEWNET,
    "pid": CLONE_NEWPID,
    "time": CLONE_NEWTIME,
    "mnt": CLONE_NEWNS,
}
FLAG_NAMES = {
    "CLONE_NEWTIME": CLONE_NEWTIME, "CLONE_NEWNS": CLONE_NEWNS,
    "CLONE_NEWCGROUP": CLONE_NEWCGROUP, "CLONE_NEWUTS": CLONE_NEWUTS,
    "CLONE_NEWIPC": CLONE_NEWIPC, "CLONE_NEWUSER": CLONE_NEWUSER, "CLONE_NEWPID": CLONE_NEWPID,
    "CLONE_NEWNET": CLONE_NEWNET,
}  # fmt: skip


def unshare(flags: int) -> None:
    """Move this process into new namespaces (unshare(2)); NEWPID and NEWTIME: its children."""
    shown = names(flags, FLAG_NAMES)
    check("unshare", flags, what="cannot make new namespaces", shown=shown)


def set_clocks(pid: int, offsets: Mapping[str, tuple[int, int]]) -> None:
    """How far the clocks are ahead in the time namespace that process `pid` has unshared.

    (seconds, nanoseconds) by the clock's name; nobody may be in it yet (time_namespaces(7)).
    """
    text = "".join(f"{clock} {secs} {nanosecs}\n" for clock, (secs, nanosecs) in offsets.items())
    path = f"/proc/{pid}/timens_offsets"
    try:
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        call = f'write("{path}", "{text.strip()}")'
        raise failed("cannot set the clocks of the container", call, error) from None


def setns(fd: int, nstype: int = 0) -> None:
    """Join the namespace that `fd` names (setns(2)); a wrong `nstype` is EINVAL."""
    shown = f"fd, {names(nstype, FLAG_NAMES)}"
    check("setns", fd, nstype, what="cannot join a namespace", shown=shown)


def open_namespace(path: str, kind: str = "") -> int:
    """Open a namespace file (close-on-exec) such as /proc/PID/ns/net or /run/netns/NAME.

    ConfigError when it is not of the type `kind`, if one is named.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise failed("cannot open a namespace", f'open("{path}")', error) from None
    try:
        if kind and fcntl.ioctl(fd, NS_GET_NSTYPE) == FLAGS[kind]:
            return fd
    except OSError:  # no namespace at all
        pass
    if not kind:
        return fd
    os.close(fd)
    hint = "name a file such as /proc/PID/ns/" + kind
    raise ConfigError(f"{path} is no namespace of the type {kind}", pointer=POINTER, hint=hint)


def inode(pid: int | str, kind: str) -> int:
    """The inode number that identifies namespace `kind` of process `pid` ("self" for us)."""
    return os.stat(f"/proc/{pid}/ns/{kind}").st_ino
