"""One command in a guest: what it printed and when each line arrived, and how it ended.

A line is stamped with the host's CLOCK_MONOTONIC when its last byte is read here.
"""

from __future__ import annotations

import os
from time import monotonic_ns

from minirt.errors import MinirtError
from minirt.vm import request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self

    from minirt.vm.session import Session

STOP_SECONDS = 5.0


class Job:
    """A running command, or one that has ended. Leaving its `with` block ends it.

    `asked`, `started`, `ended` are when it was asked for, was about to be executed, and had
    ended; `closed` when its last output had arrived as well; 0 for not yet. `status` is its exit
    status as a shell counts it. `lines` are what it printed, with the arrival of each.
    """

    __slots__ = (
        "_last", "_session", "_start", "_taken", "asked", "channel", "closed", "end", "ended",
        "lines", "output", "started", "status",
    )  # fmt: skip

    def __init__(self, session: Session, channel: int) -> None:
        self._session = session
        self._start = 0  # of the line that is not complete yet, in output
        self._last = 0  # when output arrived last
        self._taken = 0  # lines that were handed out
        self.channel = channel
        # Printed by the guest's init behind the last output: no command prints these by chance.
        self.end = os.urandom(16).hex()
        self.asked = monotonic_ns()
        self.started = self.ended = self.closed = 0
        self.status = -1
        self.output = bytearray()
        self.lines: list[tuple[str, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if not self.closed and self._session.alive:
            self.stop()

    def on_output(self, data: bytes, at: int) -> None:
        """Take in `data`, which arrived at `at`."""
        searched = len(self.output)
        self.output += data
        while (newline := self.output.find(b"\n", searched)) >= 0:
            self._line(newline, at)
            self._start = searched = newline + 1
        if self.output.endswith(self.end.encode()):
            del self.output[-len(self.end) :]
            if self._start < len(self.output):
                self._line(len(self.output), at if len(data) > len(self.end) else self._last)
            self.closed = at
        self._last = at

    def _line(self, end: int, at: int) -> None:
        self.lines.append((self.output[self._start : end].decode(errors="replace"), at))

    def line(self, seconds: float) -> tuple[str, int]:
        """The next line and its arrival; MinirtError when none comes in time, or ever."""
        self._session.wait_until(
            lambda: bool(self.closed) or len(self.lines) > self._taken, seconds
        )
        if len(self.lines) <= self._taken:
            raise self._problem(seconds, "print another line")
        self._taken += 1
        return self.lines[self._taken - 1]

    def wait(self, seconds: float) -> int:
        """Its exit status, when it has ended; MinirtError when the guest or `seconds` end first."""
        if not self._session.wait_until(lambda: bool(self.closed), seconds):
            raise self._problem(seconds, "end")
        return self.status

    def stop(self) -> None:
        """Kill it and what it started, and take in what they had printed."""
        self._session.ask(request.stop(self.channel, self.end))
        self.wait(STOP_SECONDS)

    def _problem(self, seconds: float, awaited: str) -> MinirtError:
        if self.closed:
            return MinirtError(f"the command ended with status {self.status} and did not {awaited}")
        if not self._session.alive:
            words = self._session.record.last_words()
            return MinirtError(f"the VM ended before its command: {words}")
        return MinirtError(f"the command did not {awaited} within {seconds:.0f} s in the VM")
