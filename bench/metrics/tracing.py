"""The price of tracing: step 6 without a network, traced in four ways.

off     --no-trace: nothing is handed to the program, nothing exported
on      as it is without options: spans are recorded, and nobody wants them
file    the trace is written to a file when the program has ended
kernel  the kernel's own trace of the same system calls is read as well (root)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from bench.metrics.metric import Reading, times, total
from bench.metrics.start import IDLE_S, MARK
from bench.subjects.steps import NONE, Step

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject

WAYS = {"off": ("--no-trace",), "on": (), "file": ("--trace",), "kernel": ("--kernel",)}


class Tracing:
    name, title = "tracing", "the price of tracing"
    seconds, least = (15.0, 60.0), 10

    def settings(self, *, full: bool) -> list[Setting]:
        del full
        ways = [way for way in WAYS if way != "kernel" or os.geteuid() == 0]
        return [{"tracing": way, "gap_s": IDLE_S} for way in ways]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting, full
        wanted = isinstance(subject, Step) and subject.number == 6 and subject.network == NONE
        return wanted and subject.name == "step6-none"

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        assert isinstance(subject, Step)  # noqa: S101  (see about)
        options = list(WAYS[str(setting["tracing"])])
        if options == ["--trace"]:
            options.append(os.devnull)
        run = subject.run_with(options, MARK)
        return [Reading(total(run), "s", times(run))]
