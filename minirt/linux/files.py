"""Paths inside the container's root, resolved by the kernel so that no link can lead outside."""

from __future__ import annotations

import errno
import os
import stat

from minirt.errors import KernelError
from minirt.linux import ffi
from minirt.linux.calls import check, names

RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_BENEATH, RESOLVE_IN_ROOT = 2, 4, 8, 16
RESOLVE = {
    "RESOLVE_NO_MAGICLINKS": 2, "RESOLVE_NO_SYMLINKS": 4, "RESOLVE_BENEATH": 8,
    "RESOLVE_IN_ROOT": 16,
}  # fmt: skip
CHUNK = 1 << 16
MFD_CLOEXEC, MFD_ALLOW_SEALING = 1, 2


class OpenHow(ffi.Structure):
    """struct open_how of openat2(2)."""

    _fields_ = [
        ("flags", ffi.c_uint64),
        ("mode", ffi.c_uint64),
        ("resolve", ffi.c_uint64),
    ]


def openat2(
    dirfd: int, path: str, flags: int = os.O_PATH, *, mode: int = 0, resolve: int = RESOLVE_IN_ROOT
) -> int:
    """Open `path` as seen from the root `dirfd` (close-on-exec); ".." and links stay inside."""
    how = OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    return check(
        "openat2",
        dirfd,
        os.fsencode(path),
        how,
        ffi.sizeof(how),
        what=f"cannot open {path} inside the container",
        shown=f'root, "{path}", {names(resolve, RESOLVE)}',
    )


def make_directories(root: int, path: str, mode: int = 0o755) -> int:
    """Like mkdir -p of `path` inside the root; return a descriptor of the last directory."""
    here = os.dup(root)
    done = ""
    for part in [p for p in path.split("/") if p not in ("", ".")]:
        done = f"{done}/{part}"
        try:
            os.mkdir(part, dir_fd=here)
            os.chmod(part, mode, dir_fd=here)  # whatever the umask
        except FileExistsError:
            pass
        try:
            reached = openat2(root, done, os.O_PATH | os.O_DIRECTORY)
        except KernelError as error:
            reached = make_directories(root, _missing(here, part, done, error), mode)
        finally:
            os.close(here)
        here = reached
    return here


def make_file(root: int, path: str) -> int:
    """An empty file at `path` inside the root, its directories too; an O_PATH descriptor."""
    directory, _, name = path.rstrip("/").rpartition("/")
    parent = make_directories(root, directory)
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644, dir_fd=parent))
    except FileExistsError:
        pass
    try:
        return openat2(root, path)
    except KernelError as error:
        return make_file(root, _missing(parent, name, path.rstrip("/"), error))
    finally:
        os.close(parent)


def _missing(parent: int, name: str, path: str, error: KernelError) -> str:
    """Where `path`, a link `name` in `parent`, leads, if nothing is there; else `error` is raised.

    Images bring such links: /etc/resolv.conf to what systemd writes at its start. What is then
    made, step by step, lies inside like all else; of links in a circle the kernel complains.
    """
    if error.errno != errno.ENOENT:
        raise error from None
    try:
        target = os.readlink(name, dir_fd=parent)
    except OSError:  # no link, but gone
        raise error from None
    return target if target.startswith("/") else f"{path.rpartition('/')[0]}/{target}"


def is_directory(fd: int) -> bool:
    """Whether an open descriptor is a directory's."""
    return stat.S_ISDIR(os.fstat(fd).st_mode)


def memfd_create(name: str) -> int:
    """An anonymous file in memory (close-on-exec)."""
    return check(
        "memfd_create", name.encode(), MFD_CLOEXEC, what="cannot make a file in memory", shown=name
    )


def read_all(path: str) -> bytes:
    """What a file of the host holds; OSError. A file object would take three times as long."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found = part = os.read(fd, CHUNK)
        while part:  # a file below /proc or /sys gives what it likes
            part = os.read(fd, CHUNK)
            found += part
        return found
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`; a full disk takes a part, and refuses the rest."""
    while data:
        data = data[os.write(fd, data) :]


def replace(path: str, data: bytes, *, mode: int = 0o600) -> None:
    """Write the file `path`: who reads it sees the old content or the new, never a part."""
    temporary = f"{path}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, mode)
    try:
        write_all(fd, data)
    finally:
        os.close(fd)
    os.rename(temporary, path)
