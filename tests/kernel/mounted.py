"""What a container has mounted, read from outside."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from minirt.linux.mountinfo import Mount, unescape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oci import Runtime


class Line(Mount):
    """A line of mountinfo with its propagation ("shared", "master", "unbindable") and source."""

    def __init__(self, line: str) -> None:
        super().__init__(line)
        left, _, right = line.partition(" - ")
        self.source = unescape(right.split(" ")[1])
        tags = left.split(" ")[6:]
        self.propagation = {tag.partition(":")[0] for tag in tags}


def table(pid: int) -> list[Line]:
    """Every mount of process `pid`, in order."""
    return [Line(line) for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]


@contextmanager
def created(runtime: Runtime, name: str = "c1") -> Iterator[int]:
    """A created container; the pid of its init, whose root /proc/PID/root shows."""
    pid = runtime.create(name, runtime.bundle / f"{name}.out")
    try:
        yield pid
    finally:
        runtime.must("delete", "--force", name)


def inside(pid: int, path: str) -> Path:
    """A path of the container's, through procfs: no link leads out of its root."""
    return Path(f"/proc/{pid}/root{path}")


def top(pid: int, path: str) -> Line:
    """The mount that is seen at `path`."""
    return [line for line in table(pid) if line.mountpoint == path][-1]


def device(path: Path) -> tuple[int, int, int, int, int]:
    """(mode with type, major, minor, uid, gid)."""
    status = path.lstat()
    number = status.st_rdev
    return status.st_mode, os.major(number), os.minor(number), status.st_uid, status.st_gid
