"""A new file system like what it covers: with its files (tmpcopyup), or with its mode."""

from __future__ import annotations

import os
import stat

from minirt.errors import KernelError
from minirt.linux.files import openat2, write_all

CHUNK = 1 << 20
FOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


def copy_up(root: int, path: str, tree: int) -> None:
    """Copy what the directory `path` holds into the mount `tree`, which is attached nowhere.

    Owners, modes and links are kept, and no link is followed.
    """
    here = _covered(root, path)
    if here >= 0:
        _copy_directory(here, _top(tree))


def keep_mode(root: int, path: str, tree: int) -> None:
    """Give the mount `tree` the mode of the directory that it will cover, if there is one."""
    here = _covered(root, path)
    if here >= 0:
        there = _top(tree)
        os.fchmod(there, stat.S_IMODE(os.fstat(here).st_mode))
        os.close(here)
        os.close(there)


def _covered(root: int, path: str) -> int:
    """The directory at `path` inside the root; -1 without one."""
    try:
        return openat2(root, path, os.O_RDONLY | os.O_DIRECTORY)
    except KernelError as error:
        if error.errno_name() not in ("ENOENT", "ENOTDIR"):
            raise
        return -1


def _top(tree: int) -> int:
    return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tree)


def _copy_directory(here: int, there: int) -> None:
    """Copy the entries and the owner and mode of a directory; both descriptors are closed."""
    for name in os.listdir(here):
        _copy_entry(name, here, there)
    status = os.fstat(here)
    os.fchown(there, status.st_uid, status.st_gid)
    os.fchmod(there, stat.S_IMODE(status.st_mode))
    os.close(here)
    os.close(there)


def _copy_entry(name: str, here: int, there: int) -> None:
    status = os.stat(name, dir_fd=here, follow_symlinks=False)
    kind = stat.S_IFMT(status.st_mode)
    if kind == stat.S_IFDIR:
        os.mkdir(name, 0o700, dir_fd=there)
        flags = os.O_RDONLY | os.O_DIRECTORY | FOLLOW
        _copy_directory(os.open(name, flags, dir_fd=here), os.open(name, flags, dir_fd=there))
    elif kind == stat.S_IFLNK:
        os.symlink(os.readlink(name, dir_fd=here), name, dir_fd=there)
        os.chown(name, status.st_uid, status.st_gid, dir_fd=there, follow_symlinks=False)
    elif kind == stat.S_IFREG:
        _copy_file(name, here, there, status)


def _copy_file(name: str, here: int, there: int, status: os.stat_result) -> None:
    source = os.open(name, os.O_RDONLY | FOLLOW, dir_fd=here)
    target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | FOLLOW, 0o600, dir_fd=there)
    while data := os.read(source, CHUNK):
        write_all(target, data)
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    os.close(source)
    os.close(target)
