"""`create`, `start` and `delete`: three processes, as an engine calls them; `value` is their sum.

`delete` is called when the program has ended and was reaped, which is waited for and not counted.
With a gap, there is one before each call.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.metrics.metric import Reading, total
from bench.metrics.oci_run import GAPS
from bench.metrics.start import MARK
from bench.subjects.driven import Driven

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject

CALLS = ("create", "start", "delete")


class OciLife:
    name, title = "oci-life", "create, start and delete"
    seconds, least = (70.0, 400.0), 10

    def settings(self, *, full: bool) -> tuple[Setting, ...]:
        del full
        return GAPS

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting, full
        return isinstance(subject, Driven)

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        assert isinstance(subject, Driven)  # noqa: S101  (see about)
        gap_s = float(setting["gap_s"])
        with subject.container(MARK) as container:
            runs = [container.create()]
            time.sleep(gap_s)
            runs.append(container.start())
            container.wait()
            time.sleep(gap_s)
            runs.append(container.delete())
        each = [total(run) for run in runs]
        detail = {f"{name}_s": took for name, took in zip(CALLS, each, strict=True)}
        return [Reading(sum(each), "s", {**detail, "cpu_s": sum(run.cpu_s or 0 for run in runs)})]
