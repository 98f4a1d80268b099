"""/proc/self/mountinfo, parsed: what is mounted where (proc_pid_mountinfo(5))."""

from __future__ import annotations

import os


class Mount:
    """One line of mountinfo."""

    __slots__ = ("device", "fstype", "mount_id", "mountpoint", "options", "root", "super_options")

    def __init__(self, line: str) -> None:
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        self.mount_id = int(fields[0])
        self.device = fields[2]
        self.root = unescape(fields[3])
        self.mountpoint = unescape(fields[4])
        self.options = fields[5].split(",")
        self.fstype, _, rest = right.partition(" ")
        self.super_options = rest.rpartition(" ")[2].split(",")


def mounts(pid: int | str = "self") -> list[Mount]:
    """Every mount that process `pid` sees, in mount order."""
    with open(f"/proc/{pid}/mountinfo", encoding=None, errors="surrogateescape") as lines:
        return [Mount(line.rstrip("\n")) for line in lines]


def filesystem_of(path: str, table: list[Mount]) -> Mount | None:
    """The mount that `path` (absolute) lies on."""
    real = os.path.realpath(path)
    best: Mount | None = None
    for entry in table:
        prefix = entry.mountpoint.rstrip("/") + "/"
        longer = best is None or len(entry.mountpoint) >= len(best.mountpoint)
        if (real + "/").startswith(prefix) and longer:
            best = entry
    return best


def unescape(text: str) -> str:
    """Undo the octal escapes for space, tab, newline and backslash."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
