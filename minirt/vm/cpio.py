"""The archive format of an initramfs: cpio "newc" (buffer-format.rst in the kernel's docs)."""

from __future__ import annotations

import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Entry = tuple[str, int, bytes]  # name without a leading slash, mode with its type, content

MAGIC = b"070701"
TRAILER = ("TRAILER!!!", 0, b"")


def directory(name: str) -> Entry:
    return name, stat.S_IFDIR | 0o755, b""


def file(name: str, content: bytes, *, mode: int = 0o644) -> Entry:
    return name, stat.S_IFREG | mode, content


def archive(entries: Iterable[Entry]) -> bytes:
    """All `entries` (a directory before what is in it), owned by root, as one archive."""
    return b"".join(_record(ino, *entry) for ino, entry in enumerate([*entries, TRAILER], 1))


def _record(ino: int, name: str, mode: int, content: bytes) -> bytes:
    path = name.encode() + b"\0"
    uid = gid = mtime = major = minor = check = 0
    numbers = (
        ino, mode, uid, gid, 1, mtime, len(content), major, minor, major, minor, len(path), check,
    )  # fmt: skip
    header = MAGIC + b"".join(b"%08X" % number for number in numbers)
    return _padded(header + path) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
