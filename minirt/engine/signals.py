"""Signals to the runtime itself, before there is a container to pass them to."""

from __future__ import annotations

from minirt.linux.process import (
    SIGHUP,
    SIGINT,
    SIGQUIT,
    SIGTERM,
    SIGUSR1,
    SIGUSR2,
    ignored,
    set_handler,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

FORWARDED = (SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2)


class Interrupted(KeyboardInterrupt):
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
    handle(ignore)  # a second one must not interrupt the unwinding
    raise Interrupted(signal)


def ignore(_signal: int, _frame: object) -> None:
    """For a second signal, which changes nothing."""
