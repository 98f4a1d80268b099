"""Bytes both ways between the caller's terminal and the container's (pty(7), termios(3))."""

from __future__ import annotations

import fcntl
import os
import select
import termios

from minirt.linux.process import SIGWINCH, set_handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from minirt.linux.process import Wakeup

STDIN, STDOUT, STDERR = 0, 1, 2


def relay(master: int, pidfd: int, wakeup: Wakeup) -> None:
    """Copy bytes between our terminal and the container's until its init has ended."""
    set_handler(SIGWINCH, lambda _signal, _frame: _copy_window_size(master))
    _copy_window_size(master)  # it may have changed since init read it
    saved = termios.tcgetattr(STDIN)
    termios.tcsetattr(STDIN, termios.TCSADRAIN, _raw(saved))
    try:
        _copy(master, pidfd, wakeup)
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, saved)


def _copy(master: int, pidfd: int, wakeup: Wakeup) -> None:
    # What is redirected is not the terminal, and init has it already.
    screen = next(number for number in (STDOUT, STDERR, STDIN) if os.isatty(number))
    poll = select.poll()
    for fd in (STDIN, master, pidfd, wakeup.fd):
        poll.register(fd, select.POLLIN)
    while True:
        ready = {fd for fd, _event in poll.poll()}
        if wakeup.fd in ready:
            wakeup.drain()
        if master in ready and not _pump(master, screen):
            poll.unregister(master)
        elif pidfd in ready and master not in ready:
            return  # ended, and its last words are out
        if STDIN in ready and not _pump(STDIN, master):
            poll.unregister(STDIN)


def _pump(source: int, target: int) -> bool:
    """Copy once; False at the end of the source (a pty whose slaves are closed: EIO)."""
    try:
        data = os.read(source, 65536)
        while data:
            data = data[os.write(target, data) :]
            if not data:
                return True
    except OSError:
        pass
    return False


def _copy_window_size(master: int) -> None:
    size = fcntl.ioctl(STDIN, termios.TIOCGWINSZ, b"\0" * 8)
    fcntl.ioctl(master, termios.TIOCSWINSZ, size)


def _raw(attributes: list[Any]) -> list[Any]:
    """What cfmakeraw(3) does: bytes pass unchanged, Ctrl-C is the container's."""
    iflag, oflag, cflag, lflag, *rest = attributes
    off = termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON
    return [
        iflag & ~off,
        oflag & ~termios.OPOST,
        (cflag & ~(termios.CSIZE | termios.PARENB)) | termios.CS8,
        lflag & ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG),
        *rest,
    ]
