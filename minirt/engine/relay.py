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


def relay(
    master: int, pidfd: int, wakeup: Wakeup, interrupt: Callable[[int], None], *, partial: bool
) -> None:
    """Copy our input to the container's terminal, and what comes of it out, until init has ended.

    `partial` says that what is redirected is not the terminal: init has it already.
    `interrupt` is called with the process group that Ctrl-C was meant for, on the terminal.
    """
    screen = first_terminal((STDOUT, STDERR, STDIN)) if partial else STDOUT
    own = own_terminal()
    set_handler(SIGWINCH, lambda _signal, _frame: _copy_window_size(own, master))
    _copy_window_size(own, master)  # it may have changed since init read it
    try:
        if own != STDIN:  # no keys come from it, so it needs no other mode
            return _copy(master, pidfd, wakeup, interrupt, screen)
        saved = termios.tcgetattr(own)
        termios.tcsetattr(own, termios.TCSADRAIN, _raw(saved))
        try:
            _copy(master, pidfd, wakeup, interrupt, screen)
        finally:
            termios.tcsetattr(own, termios.TCSADRAIN, saved)
    finally:
        if own > STDERR:
            os.close(own)


def prepare(master: int) -> None:
    """Where our output is no terminal, lines need no carriage return (termios(3), ONLCR)."""
    if os.isatty(STDOUT):
        return
    attributes = termios.tcgetattr(master)
    attributes[1] &= ~termios.ONLCR
    termios.tcsetattr(master, termios.TCSANOW, attributes)


def own_terminal() -> int:
    """The caller's terminal: a standard stream, else, if all are redirected, /dev/tty; or -1."""
    own = first_terminal((STDIN, STDERR, STDOUT))
    if own >= 0:
        return own
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return -1


def first_terminal(streams: tuple[int, ...]) -> int:
    """The first of our own streams that is a terminal; -1 for none."""
    return next((number for number in streams if os.isatty(number)), -1)


def _copy(
    master: int, pidfd: int, wakeup: Wakeup, interrupt: Callable[[int], None], screen: int
) -> None:
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


def _copy_window_size(own: int, master: int) -> None:
    size = fcntl.ioctl(own, termios.TIOCGWINSZ, b"\0" * 8)
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
