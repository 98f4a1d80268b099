"""Whatever ends a benchmark, the processes that it has started end with it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from typing import TYPE_CHECKING

from bench.process import SIGNALS, descendants
from minirt.linux.process import PR_SET_CHILD_SUBREAPER, Held, prctl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PATIENCE = 5.0  # seconds between SIGTERM and SIGKILL


@contextlib.contextmanager
def everything() -> Iterator[None]:
    """In the `with` block a signal to stop is a KeyboardInterrupt; at its end no child is left.

    What a subject's runtime leaves behind when it dies becomes our child (a subreaper's), so even
    an orphan is known.
    """
    prctl(PR_SET_CHILD_SUBREAPER, 1, what="cannot become the reaper of orphans")
    for number in SIGNALS:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        with Held(SIGNALS):
            end_children()
            prctl(PR_SET_CHILD_SUBREAPER, 0, what="cannot stop reaping orphans")


def interrupt(_number: int, _frame: FrameType | None) -> None:
    """The first signal unwinds; a second must not interrupt that."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def end_children() -> None:
    """End what is left, gently first."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        left = descendants(os.getpid())[1:]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if not left or _gone_within(PATIENCE):
            return


def _gone_within(seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
        except ChildProcessError:
            return True
    return False
