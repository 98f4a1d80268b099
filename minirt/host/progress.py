"""One line on stderr for work that takes longer than a second, so that nobody has to guess."""

from __future__ import annotations

import sys
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

PATIENCE = 1.0  # seconds


def say(text: str) -> None:
    """One line of minirt's own for a person."""
    print(f"minirt: {text}", file=sys.stderr, flush=True)  # noqa: T201


class Progress:
    """Around long work: says `text` after a second, and how long it took in the end.

    The thread that waits for that second is gone at the end of the `with`: a process that
    clones a container must have one thread.
    """

    __slots__ = ("shown", "started", "text", "timer")

    def __init__(self, text: str) -> None:
        self.text = text
        self.shown = False
        self.started = 0.0
        self.timer = threading.Timer(PATIENCE, self._show)

    def __enter__(self) -> Self:
        self.started = time.monotonic()
        self.timer.start()
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        self.timer.cancel()
        self.timer.join()
        if self.shown and kind is None:
            say(f"{self.text}: done in {time.monotonic() - self.started:.0f} s")

    def _show(self) -> None:
        self.shown = True
        say(f"{self.text} ...")
