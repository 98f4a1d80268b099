"""The memory of a container that was created and not started: of its init, which waits.

`value` is its resident set, all of it. In the detail: `pss`, where each shared page is divided by
its users, and `private`, what nobody shares and would be free without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bench.metrics import pages
from bench.metrics.metric import Reading
from bench.metrics.start import MARK
from bench.subjects.driven import Driven

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.samples import Setting
    from bench.subject import Subject

PRIVATE = ("Private_Clean", "Private_Dirty")


class OciWaiting:
    name, title = "oci-waiting", "memory between create and start"
    seconds, least = (12.0, 60.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        del full
        return [{}]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        del setting, full
        return isinstance(subject, Driven)

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        del setting
        assert isinstance(subject, Driven)  # noqa: S101  (see about)
        with subject.container(MARK) as container:
            container.create()
            found = added(rollup(pid) for pid in container.pids())
        detail = {"pss": found["Pss"], "private": sum(found[name] for name in PRIVATE)}
        return [Reading(found["Rss"], "bytes", detail)]


def rollup(pid: int) -> dict[str, int]:
    """The sums over all that the process has mapped, in bytes."""
    return pages.parse(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))


def added(found: Iterable[dict[str, int]]) -> dict[str, int]:
    each = list(found)
    return {name: sum(one.get(name, 0) for one in each) for name in ("Rss", "Pss", *PRIVATE)}
