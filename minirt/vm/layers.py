"""Merge an image's layers into one tree, as overlayfs shows them (overlayfs.rst, "whiteouts").

A layer hides a lower name by a character device 0:0 or, as in an archive, by a file `.wh.NAME`;
and all that is in a lower directory by an attribute or a file `.wh..wh..opq`.
"""

from __future__ import annotations

import os
import shutil
import stat

from minirt.host.cache import remove_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

WHITEOUT = ".wh."
OPAQUE_FILE = ".wh..wh..opq"
OPAQUE_ATTRIBUTES = ("trusted.overlay.opaque", "user.overlay.opaque")


def merge(image: Sequence[str], target: str) -> None:
    """Copy the layers `image` (lowest first) into the new directory `target`.

    Owners and attributes are kept as far as this user may set them; sockets and, for an
    ordinary user, device nodes are left out. Directories stay writable for their owner, so
    that an ordinary user can fill and remove them.
    """
    os.mkdir(target)
    for layer in image:
        _lay(layer, target)


def _lay(source: str, target: str) -> None:
    """Put the directory `source` over the directory `target`."""
    if _opaque(source):
        for name in os.listdir(target):
            _remove(f"{target}/{name}")
    for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
        status = entry.stat(follow_symlinks=False)
        if entry.name == OPAQUE_FILE:
            continue
        if entry.name.startswith(WHITEOUT):
            _remove(f"{target}/{entry.name.removeprefix(WHITEOUT)}")
        elif _whiteout(status):
            _remove(f"{target}/{entry.name}")
        else:
            _put(entry.path, f"{target}/{entry.name}", status.st_mode)
    _copy_properties(source, target)


def _put(source: str, target: str, mode: int) -> None:
    both_directories = stat.S_ISDIR(mode) and os.path.isdir(target) and not os.path.islink(target)
    if not both_directories:
        _remove(target)
    if stat.S_ISDIR(mode):
        os.makedirs(target, exist_ok=True)
        _lay(source, target)
    elif stat.S_ISLNK(mode):
        os.symlink(os.readlink(source), target)
        _copy_properties(source, target)
    elif stat.S_ISREG(mode):
        shutil.copyfile(source, target)
        _copy_properties(source, target)
    elif not stat.S_ISSOCK(mode):
        _make_node(source, target, mode)


def _make_node(source: str, target: str, mode: int) -> None:
    if os.geteuid() == 0 or stat.S_ISFIFO(mode):
        os.mknod(target, mode, os.lstat(source).st_rdev)
        _copy_properties(source, target)


def _copy_properties(source: str, target: str) -> None:
    """Owner before mode: chown clears the set-user-ID bit."""
    status = os.lstat(source)
    if os.geteuid() == 0:
        os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
    shutil.copystat(source, target, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        os.chmod(target, stat.S_IMODE(status.st_mode) | stat.S_IRWXU)


def _opaque(directory: str) -> bool:
    if os.path.lexists(f"{directory}/{OPAQUE_FILE}"):
        return True
    return any(_attribute(directory, name) == b"y" for name in OPAQUE_ATTRIBUTES)


def _attribute(path: str, name: str) -> bytes:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return b""


def _whiteout(status: os.stat_result) -> bool:
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        remove_tree(path)
    elif os.path.lexists(path):
        os.unlink(path)
