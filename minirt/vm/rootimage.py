"""The container's image as the disk of a guest: its layers, merged, in an ext4 file.

mke2fs(8) fills the file itself: no root and no loop mount. The guest never writes to it (it has
a writable layer of its own, as a container has), so all guests of an image share one file.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess

from minirt.errors import HostError
from minirt.host import cache
from minirt.host.progress import Progress
from minirt.vm import layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BLOCK = 4096
INODE = 256
MIB = 1 << 20
FEATURES = "^has_journal,^resize_inode"  # it is never written to and never grows


def build(image: Sequence[str]) -> str:
    """The ext4 file of an image's unpacked layers (directories, lowest first).

    Kept in the cache under a name made from the content. HostError without mke2fs.
    """
    final = f"{cache.directory()}/disks/{fingerprint(image)}.ext4"
    if os.path.exists(final):
        return final
    if shutil.which("mke2fs", path=_path()) is None:
        raise HostError("mke2fs is not installed", hint="apt-get install e2fsprogs")
    cache.make_directories(os.path.dirname(final))
    with Progress("making the VM's disk from the image"), cache.Writing("disks") as scratch:
        layers.merge(image, f"{scratch}/tree")
        _make(f"{scratch}/tree", f"{scratch}/disk")
        os.rename(f"{scratch}/disk", final)
    return final


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


def _make(tree: str, target: str) -> None:
    sizes = [status.st_size for _path, status in _entries(tree)]
    inodes = len(sizes) + 64
    content = sum(-(-size // BLOCK) * BLOCK for size in sizes)
    # A directory's tree of blocks and an extent's index take at most a tenth more.
    size = content * 11 // 10 + inodes * INODE + 4 * MIB
    argv = [
        "mke2fs", "-q", "-t", "ext4", "-b", str(BLOCK), "-I", str(INODE), "-N", str(inodes),
        "-m", "0", "-O", FEATURES, "-E", "lazy_itable_init=0",
        "-d", tree, target, f"{size // 1024}k",
    ]  # fmt: skip
    done = _run(argv)
    if done.returncode:
        raise HostError(f"mke2fs failed: {done.stderr.strip() or done.returncode}")


def _run(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run mke2fs; for an ordinary user, where possible, so that the user's files are root's."""
    as_root = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
    done = _start([*as_root, *argv])
    return _start(argv) if as_root and done.returncode else done


def _start(argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        env={**os.environ, "PATH": _path()},
    )  # fmt: skip


def _path() -> str:
    """mke2fs is in /sbin, which an ordinary user's PATH lacks on Debian."""
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
