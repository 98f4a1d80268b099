"""What a person sees while it runs: a moving line on a terminal, else a line for each metric."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.plan import Cell

WIDTH = 24
CLEAR = "\r\x1b[K"


class Bar:
    """On stderr, so that what is asked for on stdout stays clean."""

    def __init__(self) -> None:
        self.moving = sys.stderr.isatty()
        self.began = time.monotonic()
        self._done, self._all = 0.0, 1.0
        self._title = ""

    def say(self, text: str) -> None:
        """One line that stays."""
        sys.stderr.write(f"{CLEAR if self.moving else ''}bench: {text}\n")
        sys.stderr.flush()

    def phase(self, text: str) -> None:
        """What begins now, and may take seconds: in a pipe a line, else there is silence."""
        if self.moving:
            self._move(text)
        else:
            self.say(f"{text} ...")

    def warming(self, cell: Cell) -> None:
        self._move(f"{cell.metric.title}: warming up, {cell.subject.label}")

    def plan(self, cells: Sequence[Cell], seconds: float) -> None:
        """Say what is about to happen and how long it takes."""
        if not cells:
            return
        counts = {cell.count for cell in cells}
        many = f"{min(counts)} to {max(counts)}" if len(counts) > 1 else f"{max(counts)}"
        self._title = cells[0].metric.title
        self._done, self._all = 0.0, max(seconds, 1e-9)
        self.say(f"{self._title}: {len(cells)} cells, {many} samples each, about {seconds:.0f} s")

    def step(self, cell: Cell) -> None:
        filled = int(WIDTH * min(self._done / self._all, 1))
        left = max(self._all - self._done, 0)
        bar = "█" * filled + "░" * (WIDTH - filled)
        self._move(f"{bar} {self._title}: {cell.subject.label}, {left:.0f} s left")
        self._done += cell.cost_s

    def done(self) -> None:
        self._move("")

    def _move(self, text: str) -> None:
        if self.moving:
            sys.stderr.write(f"{CLEAR}{text[:100]}")
            sys.stderr.flush()
