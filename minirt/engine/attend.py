"""Attend to a running container: signals in, terminal bytes both ways, its exit status out."""

from __future__ import annotations

import fcntl
import os
import select
import termios

from minirt.linux.clone import wait
from minirt.linux.process import (
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGQUIT,
    SIGTERM,
    SIGWINCH,
    caught,
    set_handler,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from minirt.engine.container import Container

FORWARDED = (SIGHUP, SIGINT, SIGQUIT, SIGTERM)
STDIN, STDOUT = 0, 1


class Interrupted(BaseException):
    """A signal asked the runtime itself to stop, before there was a container to pass it to."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.exit_code = 128 + signal


def raise_on_signals() -> None:
    """Until a container runs, a signal to stop unwinds everything that was made so far."""
    for number in FORWARDED:
        set_handler(number, _interrupt)


def _interrupt(signal: int, _frame: object) -> None:
    for number in FORWARDED:  # a second one must not interrupt the unwinding
        set_handler(number, _ignore)
    raise Interrupted(signal)


def _ignore(_signal: int, _frame: object) -> None:
    pass


def attend(container: Container) -> int:
    """Wait for the container's init to end; its exit status as a shell counts it."""
    forwarder = Forwarder(container)
    for number in FORWARDED:
        set_handler(number, forwarder.forward)
    try:
        if container.terminal >= 0:
            _relay(container)
        status = wait(container.ctx.pidfd)
    finally:
        for number in FORWARDED:
            set_handler(number, _ignore)
    # A signal that we had to replace by SIGKILL is what the caller sent, so report that.
    return 128 + forwarder.replaced if forwarder.replaced and status == 128 + SIGKILL else status


class Forwarder:
    """Passes signals on to init; pid 1 that does not handle one would never notice it."""

    __slots__ = ("container", "count", "replaced")

    def __init__(self, container: Container) -> None:
        self.container = container
        self.replaced = 0
        self.count = 0

    def forward(self, signal: int, _frame: object) -> None:
        """Deliver; kill where the kernel would drop it for want of a handler, or if asked twice."""
        self.count += 1
        handled = caught(self.container.ctx.pid) & (1 << (signal - 1))
        if handled and self.count == 1:
            self.container.kill(signal)
        else:
            self.replaced = signal
            self.container.kill(SIGKILL)


def _relay(container: Container) -> None:
    """Copy bytes between our terminal and the container's until its init has ended."""
    master = container.terminal
    _copy_window_size(master)
    set_handler(SIGWINCH, lambda _signal, _frame: _copy_window_size(master))
    saved = termios.tcgetattr(STDIN)
    termios.tcsetattr(STDIN, termios.TCSADRAIN, _raw(saved))
    try:
        _copy(master, container.ctx.pidfd)
    finally:
        termios.tcsetattr(STDIN, termios.TCSADRAIN, saved)


def _copy(master: int, pidfd: int) -> None:
    poll = select.poll()
    for fd in (STDIN, master, pidfd):
        poll.register(fd, select.POLLIN)
    while True:
        ready = {fd for fd, _event in poll.poll()}
        if master in ready and not _pump(master, STDOUT):
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
