"""Pty: a terminal that is all of the program's input and output, for who holds its master.

The master goes out to the host, which keeps it or sends it to the engine. The slave is taken by
a descriptor of the very pty that was opened: not by its name, which others inside could change
(CVE-2025-52565).
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from minirt.errors import HostError
from minirt.linux.calls import failed
from minirt.linux.files import openat2
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

TIOCSPTLCK, TIOCGPTPEER = 0x40045431, 0x5441  # asm-generic/ioctls.h
PTMX = os.makedev(5, 2)


class Pty(Mechanism):
    """Open a pty of the container's; `size` are its rows and columns, if they are known."""

    name = "pty"

    def __init__(self, uid: int, size: tuple[int, int] | None) -> None:
        self.uid = uid
        self.size = size

    def seal(self, ctx: Context) -> None:
        master = open_master(ctx.root)
        try:
            fcntl.ioctl(master, TIOCSPTLCK, struct.pack("i", 0))
            slave = fcntl.ioctl(master, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            if self.size:
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *self.size, 0, 0))
            os.fchown(slave, self.uid, -1)
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        except OSError as error:
            raise failed("cannot open a terminal", 'ioctl("/dev/ptmx")', error) from None
        ctx.send_fd(master)
        os.close(master)
        for number in (0, 1, 2):
            os.dup2(slave, number)
        os.close(slave)

    def describe(self) -> str:
        return "pty: a terminal of the container's own is its input and output"


def open_master(root: int) -> int:
    """A new pty, by the container's /dev/ptmx, which really must be that."""
    master = openat2(root, "/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
    if os.fstat(master).st_rdev == PTMX:
        return master
    os.close(master)
    raise HostError("/dev/ptmx inside does not make terminals", hint="mount a devpts on /dev/pts")
