"""The price of tracing: step 6 without a network, and the same in a resident process.

off     --no-trace: nothing is handed to the program, nothing exported; warm, nothing recorded
on      as it is without options: spans are recorded, and nobody wants them
file    the trace is made into a line of a file when the program has ended
kernel  the kernel's own trace of the same system calls is read as well (root)

A step records even with --no-trace, so the recorder's own price is that of `warm`; init stamps its
page in every way.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.metrics.metric import Reading, times, total
from bench.metrics.start import MARK
from bench.subject import plain_name
from bench.subjects.steps import Step
from bench.subjects.warm import Warm

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject

WAYS = {
    "off": ("--no-trace",),
    "on": (),
    "kernel": ("--kernel",),
}
WARM_WAYS = ("off", "on")


class Tracing:
    name, title = "tracing", "the price of tracing"
    seconds, least = (10.0, 60.0), 10

    def settings(self, *, full: bool) -> list[Setting]:
        del full
        return [{"trace": way} for way in (*WAYS, "file") if way != "kernel" or os.geteuid() == 0]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del full
        return plain_name(subject) == "step6-none" or (
            isinstance(subject, Warm) and setting["trace"] in WARM_WAYS
        )

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        assert isinstance(subject, (Step, Warm))  # noqa: S101  (see about)
        way = str(setting["trace"])
        if way in WAYS:
            run = subject.run_with(WAYS[way], MARK)
        else:
            assert isinstance(subject, Step)  # noqa: S101  (see about)
            run = subject.trace(MARK)
        return [Reading(total(run), "s", times(run))]
