"""A burst of starts: several are requested at once, and none after them.

`value` is how many a second: their number by the time until the last has printed its first line.
That is no rate that could be kept up. All come from one Python process, which itself takes time for
each: what the plain process reaches is the most that could be measured.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from bench.metrics.metric import Reading
from bench.metrics.start import MARK
from bench.subject import NONE, VM, plain_name
from bench.subjects.warm import Warm

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject

AT_ONCE = ((1, 4, 16), (1, 2, 4, 8, 16))  # quick, full
VMS_AT_ONCE = 4  # each takes a core and a quarter of a GiB


class Starts:
    name, title = "starts", "starts a second, in one burst of several"
    seconds, least = (16.0, 300.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"at_once": number} for number in AT_ONCE[full]]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        if isinstance(subject, Warm):  # one process, which has one container at a time
            return False
        if subject.family == VM:
            return full and subject.network == NONE and int(setting["at_once"]) <= VMS_AT_ONCE
        return full or plain_name(subject) in ("process", "step6-none", "runc", "crun")

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        number = int(setting["at_once"])
        with ThreadPoolExecutor(number) as threads:
            runs = list(threads.map(subject.run, [MARK] * number))
        began = min(run.began for run in runs)
        rate = number / ((max(run.first for run in runs) - began) / 1e9)
        detail = {
            "first_s": [(run.first - run.began) / 1e9 for run in runs],
            "end_s": (max(run.ended for run in runs) - began) / 1e9,
        }
        return [Reading(rate, "1/s", detail)]
