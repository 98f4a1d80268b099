"""What a container or a VM takes of the host: memory and disk."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK = 512  # the unit of st_blocks, whatever the file system's own
CPUCLOCK_SCHED = 2  # of a whole process (include/linux/posix-timers.h)


def pss_bytes(pids: Iterable[int]) -> int:
    """The memory of processes, each shared page divided by its users (smaps_rollup in proc(5)).

    A process that has ended, or is another user's, counts as nothing.
    """
    return sum(_pss(pid) for pid in pids)


def _pss(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0


def cpu_s(pid: int) -> float:
    """The processor time of a process of any user's and all its threads so far, in seconds.

    The clock of another process (clock_getcpuclockid(3)) is its inverted number and what it counts.
    """
    return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)


def kernel_bytes(cgroup: str) -> int | None:
    """The kernel's own memory for a cgroup directory (v2, or v1's memory); None if not told."""
    try:
        with open(f"{cgroup}/memory.stat", encoding="ascii") as stat:
            rows = dict(line.split() for line in stat)
        if "kernel" in rows:
            return int(rows["kernel"])
        with open(f"{cgroup}/memory.kmem.usage_in_bytes", encoding="ascii") as usage:
            return int(usage.read())
    except (FileNotFoundError, NotADirectoryError):
        return None


def disk_bytes(paths: Iterable[str]) -> int:
    """What files and directory trees occupy on disk, hard links counted once."""
    seen: dict[tuple[int, int], int] = {}
    for path in paths:
        for name in _walk(path):
            status = os.lstat(name)
            seen[status.st_dev, status.st_ino] = status.st_blocks * BLOCK
    return sum(seen.values())


def _walk(path: str) -> Iterable[str]:
    yield path
    for parent, directories, files in os.walk(path):
        for name in (*directories, *files):
            yield os.path.join(parent, name)
