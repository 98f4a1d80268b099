"""Attend to a running container: signals in, its exit status out."""

from __future__ import annotations

from minirt.linux.clone import wait
from minirt.linux.process import (
    SIGHUP,
    SIGINT,
    SIGKILL,
    SIGQUIT,
    SIGTERM,
    caught,
    ignored,
    set_handler,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from minirt.engine.container import Container

FORWARDED = (SIGHUP, SIGINT, SIGQUIT, SIGTERM)


class Interrupted(BaseException):
    """A signal asked the runtime itself to stop, before there was a container to pass it to."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.exit_code = 128 + signal


def raise_on_signals() -> None:
    """Until a container runs, a signal to stop unwinds everything that was made so far."""
    handle(_interrupt)


def handle(handler: Callable[[int, object], None]) -> None:
    """Run `handler` for each signal that we pass on, but for those our caller ignores (nohup)."""
    for number in FORWARDED:
        if not ignored(number):
            set_handler(number, handler)


def _interrupt(signal: int, _frame: object) -> None:
    handle(_ignore)  # a second one must not interrupt the unwinding
    raise Interrupted(signal)


def _ignore(_signal: int, _frame: object) -> None:
    pass


def attend(container: Container) -> int:
    """Wait for the container's init to end; its exit status as a shell counts it."""
    forwarder = Forwarder(container)
    handle(forwarder.forward)
    try:
        if container.terminal >= 0:
            from minirt.engine.relay import relay

            relay(container.terminal, container.ctx.pidfd)
        status = wait(container.ctx.pidfd)
    finally:
        handle(_ignore)
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
