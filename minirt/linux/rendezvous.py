"""A few bytes of shared memory by which two processes meet, where one may make no system call."""

from __future__ import annotations

import mmap
import os
import select
import struct

from minirt.errors import HostError
from minirt.linux.files import memfd_create

OFFERED, TAKEN, SIZE = 0, 4, 8
# Turns of a loop, some ten seconds: to look at a clock may be a system call.
PATIENCE = 200_000_000
PAUSE = 1  # ms


class Rendezvous:
    """One side offers a number, and spins until the other has taken it."""

    __slots__ = ("_map", "fd")

    def __init__(self, fd: int = -1) -> None:
        """Of the memory that the other side has sent; without it, new."""
        self.fd = memfd_create("rendezvous") if fd < 0 else fd
        if fd < 0:
            os.ftruncate(self.fd, SIZE)
        self._map = mmap.mmap(self.fd, SIZE)

    def offer(self, number: int) -> None:
        """Show `number`, and come back when it has been taken. No system call."""
        shared = self._map
        struct.pack_into("i", shared, OFFERED, number + 1)
        for _ in range(PATIENCE):
            if shared[TAKEN]:
                return
        raise HostError("the runtime has not taken what init offered")

    def offered(self, pidfd: int) -> int:
        """Wait for the number; -1 when the process of `pidfd` ends instead."""
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        while True:
            (number,) = struct.unpack_from("i", self._map, OFFERED)
            if number:
                return int(number) - 1
            if poll.poll(PAUSE):
                return -1

    def take(self) -> None:
        """Let the other side go on."""
        self._map[TAKEN] = 1

    def close(self) -> None:
        self._map.close()
        os.close(self.fd)
