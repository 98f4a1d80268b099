"""The memory of processes in a way that does not depend on what else runs on the machine.

private  pages of no file, or of a file's private copy; what several processes of one instance
         share after fork(2) is divided by its users, so that their sum counts it once
shared   the pages of files (programs, libraries) that are mapped: whole, once for all processes
         given. PSS divides them by everyone's users, so that any other Python would make a Python
         smaller.

What processes map of a file is told in numbers of pages, not which ones: the most that one of them
has is counted.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# ADDRESSES MODE OFFSET DEVICE INODE [PATH], then lines "Name:  N kB" (proc_pid_smaps(5)).
HEAD = re.compile(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+) (\d+) *(.*)")
# Files that are on no disk.
IN_MEMORY = ("/memfd:", "/dev/zero", "/dev/shm/", "/SYSV")  # noqa: S108
KIB = 1024


class Pages(NamedTuple):
    """Bytes."""

    private: int
    shared_file: int


def of(pids: Iterable[int]) -> Pages:
    """Of all `pids` together; one that has ended, or is another user's, counts as nothing."""
    private, files = 0, Counter[str]()
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                fields = parse(rollup.read())
            with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as smaps:
                mapped = of_files(smaps)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        private += fields.get("Pss_Anon", 0) + fields.get("Pss_Shmem", 0)
        files |= mapped  # the greater of both, file by file
    return Pages(private, files.total())


def parse(text: str) -> dict[str, int]:
    """The lines in kB, in bytes."""
    rows = (line.partition(":")[::2] for line in text.splitlines() if line.endswith(" kB"))
    return {name: int(value.split()[0]) * KIB for name, value in rows}


def of_files(smaps: Iterable[str]) -> Counter[str]:
    """How many bytes of each file are mapped and present, without private copies of its pages."""
    found = Counter[str]()
    for name, fields in _mappings(smaps):
        if name:
            found[name] += fields.get("Rss", 0) - fields.get("Anonymous", 0)
    return found


def _mappings(smaps: Iterable[str]) -> Iterator[tuple[str, dict[str, int]]]:
    """For each mapping its file by device and inode, "" for none, and its numbers."""
    name, lines = "", list[str]()
    for line in smaps:
        if head := HEAD.match(line):
            yield name, parse("\n".join(lines))
            device, inode, path = head.groups()
            name = "" if inode == "0" or path.startswith(IN_MEMORY) else f"{device} {inode}"
            lines = []
        else:
            lines.append(line.rstrip())
    yield name, parse("\n".join(lines))
