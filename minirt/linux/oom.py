"""Hear of it when a cgroup runs out of memory: version 1 by an eventfd, version 2 by a poll.

Version 1 tells of the moment (Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control"),
version 2 of each process that was killed (memory.events, cgroups(7)).
"""

from __future__ import annotations

import os
import select

from minirt.linux.cgroup_files import read, write

V1, V2 = "memory.oom_control", "memory.events"


class OutOfMemory:
    """`fd` and what to poll(2) it for; `happened` says whether it was that."""

    __slots__ = ("_control", "_directory", "_kills", "events", "fd")

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._control = -1
        self._kills = self._count()
        if os.path.exists(f"{directory}/{V1}"):
            self._control = os.open(f"{directory}/{V1}", os.O_RDONLY | os.O_CLOEXEC)
            self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self.events = select.POLLIN
            write(directory, "cgroup.event_control", f"{self.fd} {self._control}")
        else:
            self.fd = os.open(f"{directory}/{V2}", os.O_RDONLY | os.O_CLOEXEC)
            self.events = select.POLLPRI

    def happened(self) -> bool:
        """After a poll that came back: was it a want of memory, and not the end of the cgroup?"""
        if self._control >= 0:
            os.eventfd_read(self.fd)
            return os.path.exists(f"{self._directory}/{V1}")
        os.pread(self.fd, 1, 0)  # else the next poll comes back at once
        before, self._kills = self._kills, self._count()
        return self._kills > before

    def _count(self) -> int:
        fields = read(self._directory, V2).split()
        return int(fields[fields.index("oom_kill") + 1]) if "oom_kill" in fields else 0

    def close(self) -> None:
        """Stop listening."""
        for fd in (self.fd, self._control):
            if fd >= 0:
                os.close(fd)
