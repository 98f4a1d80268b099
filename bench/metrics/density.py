"""How many instances fit: they are started one after another until a limit is reached.

memory  the machine has less available than before, by BUDGET or by half of what there was
slow    one took longer than START_S, or three times as long as the first where that is more
count   there are MOST of them: more would fit
time    the sweep took SWEEP_S: more would fit
error   one did not start at all; `why` in the detail is what it said

`value` counts those that started within the limits, and `limit` in the detail says which one ended
it. Each waits as `memory` has it, and all end with the sweep.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from bench.metrics.memory import IDLE, available
from bench.metrics.metric import Reading
from bench.subjects.catalog import differs_inside
from minirt.errors import MinirtError

if TYPE_CHECKING:
    from typing import Any

    from bench.samples import Setting
    from bench.subject import Subject

BUDGET = 512 << 20
MOST = 200
START_S, START_FACTOR = 2.0, 3.0
SWEEP_S = 15.0
FITTING, MEMORY, SLOW, COUNT, TIME, ERROR = "", "memory", "slow", "count", "time", "error"


class Density:
    """Not in a quick run: a sweep takes up to half a minute, and six of them make an interval."""

    name, title = "density", "instances that fit"
    seconds, least = (0.0, 900.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"budget_mib": BUDGET >> 20}] if full else []

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting, full
        return differs_inside(subject)

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        del setting
        sweep = Sweep(available())
        with contextlib.ExitStack() as stack:
            while not sweep.limit:
                sweep.start(subject, stack)
        return [Reading(sweep.count, "instances", sweep.detail())]


class Sweep:
    """`count` of those that fitted, until `limit` says what ended it."""

    def __init__(self, before: int) -> None:
        """`before` is the memory that was available."""
        self.before = before
        self.budget = min(before // 2, BUDGET)
        self.starts: list[float] = []
        self.used = self.count = 0
        self.limit, self.why = FITTING, ""

    def start(self, subject: Subject, stack: contextlib.ExitStack) -> None:
        """One more until the end of `stack`; the error of the first one is raised."""
        began = time.monotonic()
        try:
            stack.enter_context(subject.launch(IDLE))
        except (MinirtError, TimeoutError) as error:
            if not self.starts:
                raise
            self.limit, self.why = ERROR, str(error)
        else:
            self.add(time.monotonic() - began, available())

    def add(self, start_s: float, now: int) -> None:
        """One more has taken `start_s` to start, and `now` is available."""
        self.starts.append(start_s)
        self.used = self.before - now
        self.limit = self._limit()
        self.count += self.limit not in (MEMORY, SLOW)

    def _limit(self) -> str:
        if self.used > self.budget:
            return MEMORY
        if self.starts[-1] > max(START_S, START_FACTOR * self.starts[0]):
            return SLOW
        if len(self.starts) >= MOST:
            return COUNT
        return TIME if sum(self.starts) > SWEEP_S else FITTING

    def detail(self) -> dict[str, Any]:
        return {
            "limit": self.limit,
            "used_bytes": self.used,
            "budget_bytes": self.budget,
            "slowest_s": max(self.starts),
            **({"why": self.why} if self.why else {}),
        }
