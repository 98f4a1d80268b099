"""`run` while many containers of the same runtime run, and while none does.

A sample is a block: the crowd is created and started, RUNS are timed, each after a gap, and the
crowd ends. `value` is the median of the block, and the detail has all of it. Blocks with a crowd
and without take turns, so that what the machine does meanwhile is in both; each begins with a
pause, for what is measured is a crowd that runs, not what its starts or ends leave to be done.
"""

from __future__ import annotations

import contextlib
import time
from statistics import median
from typing import TYPE_CHECKING

from bench.metrics.memory import launch
from bench.metrics.metric import IDLE_S, Reading, total
from bench.metrics.start import MARK
from bench.subject import AGAIN
from bench.subjects.driven import MINIRT, Driven

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject

CROWDS = (20, 200)  # quick, full
RUNS = 5
SETTLE_S = 3.0


class OciCrowd:
    name, title = "oci-crowd", "run beside a crowd"
    seconds, least = (45.0, 600.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"running": number, "gap_s": IDLE_S} for number in (0, CROWDS[full])]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        """Of each runtime once, and quick, of ours alone: a crowd takes long to start."""
        del setting
        once = isinstance(subject, Driven) and not subject.name.endswith(AGAIN)
        return once and (full or subject.name == MINIRT)

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        gap_s = float(setting["gap_s"])
        with contextlib.ExitStack() as stack:
            launch(subject, int(setting["running"]), stack)
            time.sleep(SETTLE_S)
            runs = []
            for _ in range(RUNS):
                time.sleep(gap_s)
                runs.append(total(subject.run(MARK)))
        return [Reading(median(runs), "s", {"runs_s": runs})]
