"""mount(2), umount2(2), pivot_root(2), and the descriptor-based mount calls of Linux 5.2.

The new calls are used where they matter: the kernel explains a refused option (read from the
fsopen descriptor), and a mount made on a descriptor cannot be redirected by a symbolic link.
"""

from __future__ import annotations

import os

from minirt.linux import ffi
from minirt.linux.calls import check, invoke, names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC = 1, 2, 4, 8
MS_REMOUNT, MS_BIND, MS_MOVE, MS_REC = 32, 4096, 8192, 16384
MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 17, 1 << 18, 1 << 19, 1 << 20
MS_NOATIME, MS_NODIRATIME, MS_RELATIME, MS_STRICTATIME = 1024, 2048, 1 << 21, 1 << 24
MS_FLAGS = {
    "MS_RDONLY": MS_RDONLY, "MS_NOSUID": MS_NOSUID, "MS_NODEV": MS_NODEV,
    "MS_NOEXEC": MS_NOEXEC, "MS_REMOUNT": MS_REMOUNT, "MS_BIND": MS_BIND, "MS_MOVE": MS_MOVE,
    "MS_REC": MS_REC, "MS_UNBINDABLE": MS_UNBINDABLE, "MS_PRIVATE": MS_PRIVATE,
    "MS_SLAVE": MS_SLAVE, "MS_SHARED": MS_SHARED, "MS_NOATIME": MS_NOATIME,
    "MS_NODIRATIME": MS_NODIRATIME, "MS_RELATIME": MS_RELATIME, "MS_STRICTATIME": MS_STRICTATIME,
}  # fmt: skip

MNT_DETACH = 2
UMOUNT_NOFOLLOW = 8
UMOUNT_FLAGS = {"MNT_DETACH": MNT_DETACH, "UMOUNT_NOFOLLOW": UMOUNT_NOFOLLOW}

FSOPEN_CLOEXEC = FSMOUNT_CLOEXEC = OPEN_TREE_CLONE = 1
OPEN_TREE_CLOEXEC = os.O_CLOEXEC
FSCONFIG_SET_FLAG, FSCONFIG_SET_STRING, FSCONFIG_CMD_CREATE = 0, 1, 6
MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_T_EMPTY_PATH = 0x4, 0x40
AT_EMPTY_PATH, AT_RECURSIVE = 0x1000, 0x8000
AT_FDCWD = -100

MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV, MOUNT_ATTR_NOEXEC = 1, 2, 4, 8
MOUNT_ATTR_NOATIME, MOUNT_ATTR_STRICTATIME, MOUNT_ATTR_NODIRATIME = 0x10, 0x20, 0x80
MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME = 0, 0x70  # a value of this field, and its mask
MOUNT_ATTR_IDMAP, MOUNT_ATTR_NOSYMFOLLOW = 0x100000, 0x200000
MOUNT_ATTRS = {
    "MOUNT_ATTR_RDONLY": 1, "MOUNT_ATTR_NOSUID": 2, "MOUNT_ATTR_NODEV": 4,
    "MOUNT_ATTR_NOEXEC": 8, "MOUNT_ATTR_NOATIME": MOUNT_ATTR_NOATIME,
    "MOUNT_ATTR_STRICTATIME": MOUNT_ATTR_STRICTATIME,
    "MOUNT_ATTR_NODIRATIME": MOUNT_ATTR_NODIRATIME, "MOUNT_ATTR_IDMAP": MOUNT_ATTR_IDMAP,
    "MOUNT_ATTR_NOSYMFOLLOW": MOUNT_ATTR_NOSYMFOLLOW,
}  # fmt: skip

# As mount(8) and the OCI specification call them.
ATTRIBUTES = {
    "ro": MOUNT_ATTR_RDONLY, "nosuid": MOUNT_ATTR_NOSUID, "nodev": MOUNT_ATTR_NODEV,
    "noexec": MOUNT_ATTR_NOEXEC, "noatime": MOUNT_ATTR_NOATIME,
    "strictatime": MOUNT_ATTR_STRICTATIME, "nodiratime": MOUNT_ATTR_NODIRATIME,
    "nosymfollow": MOUNT_ATTR_NOSYMFOLLOW,
}  # fmt: skip


def mount(source: str, target: str, fstype: str = "", flags: int = 0, data: str = "") -> None:
    """Mount `source` on `target` (mount(2)); `flags` are MS_*, `data` the options."""
    check(
        "mount",
        os.fsencode(source) or b"none",
        os.fsencode(target),
        fstype.encode() or None,
        flags,
        os.fsencode(data) or None,
        what=f"cannot mount {fstype or source or 'flags'} on {target}",
        shown=f'"{source}", "{target}", "{fstype}", {names(flags, MS_FLAGS)}',
    )


def make_private() -> None:
    """Cut the whole mount tree off from its peers, so that no mount of ours reaches the host."""
    mount("", "/", flags=MS_REC | MS_PRIVATE)


def umount2(target: str, flags: int = 0) -> None:
    """Unmount `target` (umount2(2))."""
    check(
        "umount2",
        os.fsencode(target),
        flags,
        what=f"cannot unmount {target}",
        shown=f'"{target}", {names(flags, UMOUNT_FLAGS)}',
    )


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root of this mount namespace, the old one at `put_old`."""
    check(
        "pivot_root",
        os.fsencode(new_root),
        os.fsencode(put_old),
        what="cannot make the container's file tree its root",
        shown=f'"{new_root}", "{put_old}"',
    )


def make(fstype: str, options: Iterable[tuple[str, str]] = (), attributes: int = 0) -> int:
    """Make a detached mount of a new file system; return its descriptor (close-on-exec).

    fsopen(2), fsconfig(2), fsmount(2). An option with an empty value is a flag. KernelError
    carries what the file system wrote to the descriptor's message log.
    """
    fs = check(
        "fsopen", fstype.encode(), FSOPEN_CLOEXEC, what=f"cannot open {fstype}", shown=fstype
    )
    try:
        for key, value in options:
            _configure(fs, fstype, key, value)
        _create(fs, fstype)
        return check(
            "fsmount",
            fs,
            FSMOUNT_CLOEXEC,
            attributes,
            what=f"cannot mount {fstype}",
            shown=f"{fstype}, {names(attributes, MOUNT_ATTRS)}",
        )
    finally:
        os.close(fs)


def _configure(fs: int, fstype: str, key: str, value: str) -> None:
    command = FSCONFIG_SET_STRING if value else FSCONFIG_SET_FLAG
    data = os.fsencode(value) if value else None
    result = invoke("fsconfig", fs, command, key.encode(), data, 0)
    if result < 0:
        _refused(fs, fstype, f'"{key}", "{value}"', -result)


def _create(fs: int, fstype: str) -> None:
    result = invoke("fsconfig", fs, FSCONFIG_CMD_CREATE, None, None, 0)
    if result < 0:
        _refused(fs, fstype, "CMD_CREATE", -result)


def _refused(fs: int, fstype: str, shown: str, errno: int) -> None:
    from minirt.errors import KernelError

    raise KernelError(
        f"cannot make the {fstype} file system",
        call=f"fsconfig({fstype}, {shown})",
        errno=errno,
        kernel=_message_log(fs),
    )


def _message_log(fs: int) -> str:
    """What the file system said: lines as "e overlay: ..." in the descriptor (fsopen(2))."""
    lines = []
    while True:
        try:
            lines.append(os.read(fs, 512).decode(errors="replace").strip())
        except OSError:
            return "; ".join(line.removeprefix("e ") for line in lines)


def move_mount(mount_fd: int, target_fd: int) -> None:
    """Attach a detached mount at the directory or file that `target_fd` is."""
    check(
        "move_mount",
        mount_fd,
        b"",
        target_fd,
        b"",
        MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH,
        what="cannot attach a mount",
        shown="MOVE_MOUNT_F_EMPTY_PATH|MOVE_MOUNT_T_EMPTY_PATH",
    )


def open_tree(path: str, *, recursive: bool = False, at: int = AT_FDCWD) -> int:
    """A detached copy of the mount at `path` (a bind mount that is nowhere yet)."""
    flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (AT_RECURSIVE if recursive else 0)
    flags |= 0 if path else AT_EMPTY_PATH
    return check(
        "open_tree",
        at,
        os.fsencode(path),
        flags,
        what=f"cannot copy the mount at {path or 'a descriptor'}",
        shown=f'"{path}", OPEN_TREE_CLONE{"|AT_RECURSIVE" if recursive else ""}',
    )


class MountAttr(ffi.Structure):
    """struct mount_attr of mount_setattr(2)."""

    _fields_ = [
        ("attr_set", ffi.c_uint64),
        ("attr_clr", ffi.c_uint64),
        ("propagation", ffi.c_uint64),
        ("userns_fd", ffi.c_uint64),
    ]


def mount_setattr(
    mount_fd: int,
    attributes: int = 0,
    *,
    clear: int = 0,
    propagation: int = 0,
    userns_fd: int = 0,
    recursive: bool = False,
) -> None:
    """Set MOUNT_ATTR_* on a mount, clear others, or change its propagation (MS_SHARED ...).

    With MOUNT_ATTR_IDMAP, map ids as `userns_fd` does.
    """
    attr = MountAttr(attributes, clear, propagation, userns_fd)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    check(
        "mount_setattr",
        mount_fd,
        b"",
        flags,
        attr,
        ffi.sizeof(attr),
        what="cannot change the attributes of a mount",
        shown=f"{names(attributes, MOUNT_ATTRS)}, {names(clear, MOUNT_ATTRS)}, "
        f"{names(propagation, MS_FLAGS)}",
    )
