"""How long it takes to start: from the request to the program's first line, and to its end.

Back to back and after 60 ms of idling, because the kernel has work that waits for an idle moment
to pass: joining a cgroup does. `value` is the time to the end, `first_s` to the first line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.metrics.metric import IDLE_S, Reading, times, total
from bench.subject import VM
from bench.tree import PROGRAM

if TYPE_CHECKING:
    from bench.samples import Setting
    from bench.subject import Subject

MARK = (PROGRAM, "mark")


class Start:
    name, title = "start", "start to first line and to end"
    seconds, least = (80.0, 600.0), 10

    def settings(self, *, full: bool) -> list[Setting]:
        del full
        return [{"gap_s": 0.0}, {"gap_s": IDLE_S}]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        """A VM boots so long that the gap before it does not matter: quick, it has one."""
        return full or subject.family != VM or setting["gap_s"] == IDLE_S

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        del setting
        run = subject.run(MARK)
        return [Reading(total(run), "s", times(run))]
