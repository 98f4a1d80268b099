"""Where the time of a start goes: the spans of minirt's own trace, and a VM's marks.

Apart from `start`, because a step that writes its trace to a file ends later than one that does
not: what is compared is `start`, this only splits it. `value` is the time to the end. A sample has
all phases of one run, so that a real one can be shown, such as that of the median time.

The import of the netlink library is in the span of the mechanism that needs it first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.metrics.metric import Reading, times, total
from bench.metrics.start import MARK
from bench.subject import VM
from bench.subjects.steps import Step

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject


class Phases:
    name, title = "phases", "phases of a start"
    seconds, least = (24.0, 120.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        del full
        return [{}]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting, full
        return isinstance(subject, Step) or subject.family == VM

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        del setting
        run = subject.trace(MARK) if isinstance(subject, Step) else subject.run(MARK)
        return [Reading(total(run), "s", times(run))]
