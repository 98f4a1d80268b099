"""Terminal: a pseudo-terminal of the container's own, controlling its session (pty(7)).

The container never gets the caller's terminal itself: whoever holds that can push input into
the caller's shell (TIOCSTI). The host keeps the master end and copies bytes.
"""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from minirt.linux.calls import failed
from minirt.linux.files import openat2
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context

TIOCSPTLCK, TIOCGPTPEER = 0x40045431, 0x5441  # asm-generic/ioctls.h


class Terminal(Mechanism):
    """Open a pty where the container's files are, send the master out, take the slave."""

    name = "terminal"

    def __init__(self, uid: int) -> None:
        self.uid = uid

    # --8<-- [start:terminal]
    def seal(self, ctx: Context) -> None:
        try:
            master = openat2(ctx.root, "/dev/ptmx", os.O_RDWR | os.O_NOCTTY)
            fcntl.ioctl(master, TIOCSPTLCK, struct.pack("i", 0))
            slave = fcntl.ioctl(master, TIOCGPTPEER, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            os.fchown(slave, self.uid, -1)
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        except OSError as error:
            raise failed("cannot open a terminal", 'ioctl("/dev/ptmx")', error) from None
        ctx.send_fd(master)
        os.close(master)
        for number in (0, 1, 2):
            if os.isatty(number):
                size = fcntl.ioctl(number, termios.TIOCGWINSZ, bytes(8))
                fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
                os.dup2(slave, number)
        os.close(slave)

    # --8<-- [end:terminal]

    def describe(self) -> str:
        return "terminal: a pty of the container's own, its session's controlling terminal"
