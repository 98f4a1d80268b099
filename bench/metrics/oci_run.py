"""`run`: a container from nothing to deleted in one call, timed from its spawn to its exit.

Its program prints a line and ends. The plain process beside it is the floor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.metrics.metric import IDLE_S, Reading, times, total
from bench.metrics.start import MARK

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject

GAPS: tuple[Setting, ...] = ({"gap_s": 0.0}, {"gap_s": IDLE_S})


class OciRun:
    name, title = "oci-run", "run"
    seconds, least = (50.0, 300.0), 10

    def settings(self, *, full: bool) -> tuple[Setting, ...]:
        del full
        return GAPS

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del subject, setting, full
        return True

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        del setting
        run = subject.run(MARK)
        return [Reading(total(run), "s", times(run))]
