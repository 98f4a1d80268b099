"""Unpack one layer of an image into a directory that overlayfs can use as a lowerdir.

Every path is resolved by the kernel inside the target (openat2, RESOLVE_IN_ROOT): no name and
no link in a layer can lead outside. A file that a layer deletes ("whiteout", image-spec,
layer.md) becomes what overlayfs means by that: a character device 0:0, which any user may make.
"""

from __future__ import annotations

import os
import shutil
import stat
import tarfile

from minirt.linux.files import make_directories, openat2

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


def layer(archive: str, target: str) -> None:
    """Unpack the tar file `archive` into the new directory `target`."""
    # Every user of the image must be able to walk it, whatever the umask of who unpacks it.
    umask = os.umask(0o022)
    os.mkdir(target)
    root = os.open(target, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                _member(root, tar, member)
    finally:
        os.close(root)
        os.umask(umask)


def matches(archive: str, target: str) -> bool:
    """Whether `target` still holds every entry of the layer, with its type, mode and size."""
    with tarfile.open(archive) as tar:
        return all(_same(member, target) for member in tar)


def _same(member: tarfile.TarInfo, target: str) -> bool:
    directory, name = os.path.split(member.name)
    if name == OPAQUE or member.islnk() or member.isdev():
        return True
    try:
        found = os.lstat(f"{target}/{directory}/{name.removeprefix(WHITEOUT)}")
    except OSError:
        return False
    if name.startswith(WHITEOUT):
        return stat.S_ISCHR(found.st_mode)
    if member.issym():
        return stat.S_ISLNK(found.st_mode)
    whole = stat.S_ISDIR(found.st_mode) if member.isdir() else found.st_size == member.size
    return whole and stat.S_IMODE(found.st_mode) == member.mode


def _member(root: int, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    path = os.path.normpath("/" + member.name)
    if member.isdir():
        _directory(root, path, member)
        return
    directory, name = os.path.split(path)
    parent = make_directories(root, directory)
    try:
        if name == OPAQUE:
            _set_opaque(parent)
        elif name.startswith(WHITEOUT):
            os.mknod(name.removeprefix(WHITEOUT), stat.S_IFCHR, dir_fd=parent)
        elif member.islnk():
            _hard_link(root, member.linkname, parent, name)
        else:
            _make(parent, name, tar, member)
    finally:
        os.close(parent)


def _directory(root: int, path: str, member: tarfile.TarInfo) -> None:
    made = make_directories(root, path)
    try:
        _attributes(_by_descriptor(made), member)
    finally:
        os.close(made)


def _set_opaque(directory: int) -> None:
    """Hide everything below: trusted.* is root's, user.* what overlayfs reads for other users."""
    prefix = "user" if os.geteuid() else "trusted"
    os.setxattr(_by_descriptor(directory), f"{prefix}.overlay.opaque", b"y")


def _make(parent: int, name: str, tar: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    if member.issym():
        os.symlink(member.linkname, name, dir_fd=parent)
        _own(name, member, parent)
    elif member.isfifo():
        os.mkfifo(name, member.mode, dir_fd=parent)
        _own(name, member, parent)
    elif source := tar.extractfile(member):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with open(os.open(name, flags, 0o600, dir_fd=parent), "wb") as target:
            shutil.copyfileobj(source, target)
            target.flush()
            _attributes(_by_descriptor(target.fileno()), member)
    # What is left are device nodes: the runtime makes a container's /dev.


def _hard_link(root: int, existing: str, parent: int, name: str) -> None:
    directory, _, linked = existing.strip("/").rpartition("/")
    source = openat2(root, directory or "/", os.O_PATH | os.O_DIRECTORY)
    try:
        os.link(linked, name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
    finally:
        os.close(source)


def _by_descriptor(descriptor: int) -> str:
    """A path of the open file itself: a name could by now be a link that leads outside."""
    return f"/proc/self/fd/{descriptor}"


def _attributes(path: str, member: tarfile.TarInfo) -> None:
    """Owner, mode, time, in this order: chown(2) clears the set-user-ID bit."""
    if os.geteuid() == 0:
        os.chown(path, member.uid, member.gid)
    os.chmod(path, member.mode)
    os.utime(path, (member.mtime, member.mtime))


def _own(name: str, member: tarfile.TarInfo, parent: int) -> None:
    """The owner of a link; only root can give files away, so a user's layers are all his."""
    if os.geteuid() == 0:
        os.chown(name, member.uid, member.gid, dir_fd=parent, follow_symlinks=False)
