"""Attend to a running container: signals in, its exit status out."""

from __future__ import annotations

import select

from minirt.engine.signals import Interrupted, handle, ignore
from minirt.errors import MinirtError
from minirt.linux.ending import wait
from minirt.linux.process import SIGHUP, SIGINT, SIGKILL, SIGUSR1, SIGUSR2, Wakeup, caught

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from minirt.engine.container import Container

# To many servers these say "read your configuration again", or something of their own.
OFTEN = (SIGHUP, SIGUSR1, SIGUSR2)


def attend(container: Container, start: Callable[[Container], None]) -> int:
    """Start it, and pass signals on until its init has ended; its status as a shell counts it."""
    with Forwarder(container) as signals:
        try:
            if container.terminal >= 0:
                _prepare_terminal(container)
            start(container)
        except MinirtError:
            if signals.replaced:  # it failed because we ended init
                raise Interrupted(signals.replaced) from None
            raise
        return signals.watch()


def _prepare_terminal(container: Container) -> None:
    """Before its first line; not where only what is a terminal became the container's."""
    from minirt.builders.process import PARTIAL
    from minirt.engine.relay import prepare

    if container.spec.terminal != PARTIAL:
        prepare(container.terminal)


class Forwarder:
    """In the `with` block signals are the container's; after it they are ignored.

    Before the program runs nothing handles them, so that one sent to init ends it.
    """

    __slots__ = ("container", "count", "replaced", "wakeup")

    def __init__(self, container: Container) -> None:
        self.container = container
        self.replaced = 0
        self.count = 0

    def __enter__(self) -> Self:
        self.wakeup = Wakeup()
        handle(self.forward)
        return self

    def __exit__(self, *_: object) -> None:
        handle(ignore)
        self.wakeup.close()

    def forward(self, signal: int, _frame: object) -> None:
        """Deliver; kill where the kernel would drop it for want of a handler, or if asked twice."""
        self.count += signal not in OFTEN
        handled = caught(self.container.ctx.pid) & (1 << (signal - 1))
        if handled and self.count <= 1:
            self.container.kill(signal)
        else:
            self.replaced = signal
            self.container.kill(SIGKILL)

    def interrupt(self, group: int) -> None:
        """Ctrl-C was typed: if it was for init, and init does not handle it, end init.

        Its terminal sends SIGINT, which the kernel drops for process 1 without a handler.
        """
        pid = self.container.ctx.pid
        if group == pid and not caught(pid) & (1 << (SIGINT - 1)):
            self.replaced = SIGINT
            self.container.kill(SIGKILL)

    def watch(self) -> int:
        """Wait for init to end, and carry its terminal's bytes meanwhile; its status."""
        pidfd, terminal = self.container.ctx.pidfd, self.container.terminal
        if terminal >= 0:
            from minirt.builders.process import PARTIAL
            from minirt.engine.relay import relay

            partial = self.container.spec.terminal == PARTIAL
            relay(terminal, pidfd, self.wakeup, self.interrupt, partial=partial)
        else:
            wait_for(pidfd, self.wakeup)
        status = wait(pidfd)
        # A signal that we had to replace by SIGKILL is what the caller sent, so report that.
        return 128 + self.replaced if self.replaced and status == 128 + SIGKILL else status


def wait_for(pidfd: int, wakeup: Wakeup) -> None:
    """Return when the process has ended; signals are handled as they come."""
    poll = select.poll()
    for fd in (pidfd, wakeup.fd):
        poll.register(fd, select.POLLIN)
    while pidfd not in dict(poll.poll()):
        wakeup.drain()
