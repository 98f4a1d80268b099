"""The file tree of all subjects with one large file more, for what is measured on a disk.

It lies beside that tree in the cache and shares its files (hard links), which nobody writes to.
The file's bytes are random, so that no file system makes it smaller.
"""

from __future__ import annotations

import errno
import os
import random
import shutil
from pathlib import Path

from bench import tree
from minirt.host import cache

NAME, SIZE = "large", 64 << 20
CHUNK = 1 << 20
BLOCK = 4096


def ensure() -> str:
    """The tree's path; made when it is missing."""
    plain = tree.ensure()
    final = f"{plain}-{NAME}"
    with cache.Writing("bench-tree") as scratch:
        if not os.path.isdir(final):
            made = f"{scratch}/tree"
            shutil.copytree(plain, made, symlinks=True, copy_function=os.link)
            fill(Path(made, NAME))
            os.rename(made, final)
    return final


def fill(path: Path) -> None:
    """Make the file, and see it to the disk."""
    numbers = random.Random(SIZE)
    with path.open("xb") as file:
        for _ in range(SIZE // CHUNK):
            file.write(numbers.randbytes(CHUNK))
        file.flush()
        os.fsync(file.fileno())


def evict(path: str) -> None:
    """Have this kernel forget what it has read of a file; OSError EBUSY when it does not.

    Only this file is forgotten, unlike with /proc/sys/vm/drop_caches. What a disk or a hypervisor
    below has in a cache of its own stays there.
    """
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        if _cached(file, os.fstat(file).st_size // BLOCK // 2 * BLOCK):
            raise OSError(errno.EBUSY, "it stays in the page cache", path)
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)  # what asking may have read ahead
    finally:
        os.close(file)


def _cached(file: int, offset: int) -> bool:
    """Whether the block at `offset` can be had without waiting for the disk."""
    try:
        return bool(os.preadv(file, [bytearray(BLOCK)], offset, os.RWF_NOWAIT))
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno == errno.EOPNOTSUPP:  # this file system does not tell
            return False
        raise
