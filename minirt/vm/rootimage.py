"""The container's image as the disk of a guest: its layers, merged, in one file.

The programs that make file systems fill them, too: no root and no loop mount. The guest never
writes to it (it has a writable layer of its own, as a container has), so all guests of an image
share one file. ext4 is an ordinary disk; erofs and squashfs are compressed, and read-only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess

from minirt.errors import ConfigError, HostError
from minirt.host import cache
from minirt.host.progress import Progress
from minirt.vm import layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EXT4 = "ext4"
BLOCK = 4096
INODE = 256
MIB = 1 << 20
FEATURES = "^has_journal,^resize_inode"  # it is never written to and never grows


class Format:
    """A file system of Linux's: the program that makes it, its package, and how it is called.

    `name` is the kernel's, for mount(2) and the module.
    """

    __slots__ = ("command", "name", "package", "program")

    def __init__(
        self, name: str, program: str, package: str, command: Callable[[str, str], list[str]]
    ) -> None:
        self.name = name
        self.program = program
        self.package = package
        self.command = command  # from a tree and a target


def build(image: Sequence[str], made: Format | None = None) -> str:
    """The disk of an image's unpacked layers (directories, lowest first): ext4, or `made`.

    Kept in the cache under a name made from the content. HostError without the program.
    """
    made = made or FORMATS[EXT4]
    final = f"{cache.directory()}/disks/{fingerprint(image)}.{made.name}"
    if os.path.exists(final):
        return final
    if shutil.which(made.program, path=_path()) is None:
        raise HostError(f"{made.program} is not installed", hint=f"apt-get install {made.package}")
    cache.make_directories(os.path.dirname(final))
    with Progress("making the VM's disk from the image"), cache.Writing("disks") as scratch:
        layers.merge(image, f"{scratch}/tree")
        done = _run(made.command(f"{scratch}/tree", f"{scratch}/disk"))
        if done.returncode:
            raise HostError(f"{made.program} failed: {done.stderr.strip() or done.returncode}")
        os.rename(f"{scratch}/disk", final)
    return final


def find_format(name: str) -> Format:
    """ConfigError when minirt knows no such format."""
    if name not in FORMATS:
        raise ConfigError(
            f'there is no disk format "{name}"',
            pointer="disk_format",
            hint=f"choose one of: {', '.join(FORMATS)}",
        )
    return FORMATS[name]


def fingerprint(image: Sequence[str]) -> str:
    """A name for the content of `image`: names, modes, owners and bytes, not times."""
    digest = hashlib.sha256()
    for layer in image:
        for path, status in _entries(layer):
            row = (os.path.relpath(path, layer), status.st_mode, status.st_uid, status.st_gid)
            digest.update(repr((*row, status.st_rdev)).encode(errors="surrogateescape"))
            digest.update(_content(path, status.st_mode))
        digest.update(b"layer")
    return digest.hexdigest()[:32]


def _entries(layer: str) -> Iterator[tuple[str, os.stat_result]]:
    yield layer, os.lstat(layer)
    for parent, directories, files in os.walk(layer):
        directories.sort()
        for name in sorted([*directories, *files]):
            path = os.path.join(parent, name)
            yield path, os.lstat(path)


def _content(path: str, mode: int) -> bytes:
    if stat.S_ISLNK(mode):
        return os.fsencode(os.readlink(path))
    if not stat.S_ISREG(mode):
        return b""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def _ext4(tree: str, target: str) -> list[str]:
    sizes = [status.st_size for _path, status in _entries(tree)]
    inodes = len(sizes) + 64
    content = sum(-(-size // BLOCK) * BLOCK for size in sizes)
    # A directory's tree of blocks and an extent's index take at most a tenth more.
    size = content * 11 // 10 + inodes * INODE + 4 * MIB
    return [
        "mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK), "-I", str(INODE), "-N", str(inodes),
        "-m", "0", "-O", FEATURES, "-E", "lazy_itable_init=0",
        "-d", tree, target, f"{size // 1024}k",
    ]  # fmt: skip


def _erofs(tree: str, target: str) -> list[str]:
    return ["mkfs.erofs", "-zlz4hc", target, tree]


def _squashfs(tree: str, target: str) -> list[str]:
    return ["mksquashfs", tree, target, "-quiet", "-no-progress", "-comp", "zstd"]


FORMATS: Mapping[str, Format] = {
    EXT4: Format(EXT4, "mke2fs", "e2fsprogs", _ext4),
    "erofs": Format("erofs", "mkfs.erofs", "erofs-utils", _erofs),
    "squashfs": Format("squashfs", "mksquashfs", "squashfs-tools", _squashfs),
}


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run it; for an ordinary user, where possible, so that the user's files are root's."""
    as_root = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
    done = _start([*as_root, *argv])
    return _start(argv) if as_root and done.returncode else done


def _start(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": _path()},
    )  # fmt: skip


def _path() -> str:
    """These programs are in /sbin, which an ordinary user's PATH lacks on Debian."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
