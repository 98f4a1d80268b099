"""Bytes both ways between the caller's terminal and the container's (pty(7), termios(3))."""

from __future__ import annotations

import fcntl
import os
import select
import termios

from minirt.linux.process import SIGWINCH, set_handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from minirt.linux.process import Wakeup

STDIN, STDOUT, STDERR = 0, 1, 2


def relay(master: int, pidfd: int, wakeup: Wakeup, interrupt: Callable[[int], None]) -> None:
    """Copy bytes between our terminal and the container's until its init has ended.

    `interrupt` is called with the process group that Ctrl-C was meant for, on the terminal.
    """
    set_handler(SIGWINCH, lambda _signal, _frame: _copy_window_size(master))
    _copy_window_size(master)  # it may have changed since init read it
    saved = termios.tcgetattr(STDIN)
    termios.tcsetattr(STDIN, termios.TCSADRAIN, _raw(saved))
    try:
        _copy(master, pidfd, wakeup, interrupt)
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, saved)


def _copy(master: int, pidfd: int, wakeup: Wakeup, interrupt: Callable[[int], None]) -> None:
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
        if STDIN in ready and not _pass_keys(master, interrupt):
            poll.unregister(STDIN)


def _pass_keys(master: int, interrupt: Callable[[int], None]) -> bool:
    """What was typed, to the container; False at its end."""
    keys = _pump(STDIN, master)
    if keys and _is_interrupt(keys, master):
        interrupt(os.tcgetpgrp(master))
    return bool(keys)


def _pump(source: int, target: int) -> bytes:
    """Copy once, and return it; b"" at the end of the source (a pty without slaves: EIO)."""
    try:
        data = left = os.read(source, 65536)
        while left:
            left = left[os.write(target, left) :]
    except OSError:
        return b""
    return data


def _is_interrupt(keys: bytes, master: int) -> bool:
    """Whether the container's terminal makes SIGINT of one of these keys."""
    attributes = termios.tcgetattr(master)
    return bool(attributes[3] & termios.ISIG) and attributes[6][termios.VINTR] in keys


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
