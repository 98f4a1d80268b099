"""A file system that starts with what it covers (the mount option tmpcopyup)."""

from __future__ import annotations

import os
import stat

from minirt.linux.files import write_all

CHUNK = 1 << 20
FOLLOW = os.O_NOFOLLOW | os.O_CLOEXEC


def copy_up(source: int, tree: int) -> None:
    """Copy what the directory `source` holds into the mount `tree`, which is attached nowhere.

    Both are descriptors; owners, modes and links are kept, and no link is followed.
    """
    here = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=source)
    there = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=tree)
    _copy_directory(here, there)


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
