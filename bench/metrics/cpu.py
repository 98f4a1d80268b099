"""What work costs that a processor does: a fixed amount of it, from its first line to its last.

cpu          integer operations                     memory    bytes copied between two buffers
interpreter  counting in the image's shell          syscalls  the shortest system call
                                                    switches  two processes hand over a byte

`cpu_s` is the processor time between the two lines (stamped.py), without the start. The buffers
are as large as a guest of 128 MiB has room for; `cached` says that they fit into the processor's
largest cache all the same: then it is that cache, and not memory, which was measured.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import machine
from bench.metrics.metric import Reading
from bench.metrics.stamped import work
from bench.subject import VM, plain_name
from bench.subjects.catalog import differs_inside
from bench.tree import PROGRAM

if TYPE_CHECKING:
    from typing import Any

    from bench.samples import Setting
    from bench.subject import Subject

BUFFERS = 2 * 16 << 20  # bytes, as work.c has them
SECONDS = "s"  # of what has no rate that would mean something by itself
UNITS = {
    "cpu": SECONDS,
    "interpreter": SECONDS,
    "memory": "bytes/s",
    "syscalls": "calls/s",
    "switches": "1/s",
}
# What a quick run has time for: of a VM, each takes a boot, and several times as long if emulated.
QUICK = {"cpu": ("process", "step6-none"), "syscalls": ("process", "step6-none")}
QUICK_OF_VMS = ("cpu",)


class Cpu:
    name, title = "cpu", "processor: fixed work"
    seconds, least = (26.0, 420.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        del full
        return [{"work": work} for work in UNITS]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        if full or not differs_inside(subject):
            return differs_inside(subject)
        if subject.family == VM:
            return setting["work"] in QUICK_OF_VMS
        return plain_name(subject) in QUICK.get(str(setting["work"]), ())

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        done = work(subject.run((PROGRAM, str(setting["work"]))))
        detail: dict[str, Any] = {
            "work_s": done.seconds, "amount": done.amount, "cpu_s": done.cpu_s,
        }  # fmt: skip
        if setting["work"] == "memory":
            detail |= {"buffers_bytes": BUFFERS, "cached": machine.largest_cache() >= BUFFERS}
        unit = UNITS[str(setting["work"])]
        return [Reading(done.seconds if unit == SECONDS else done.rate, unit, detail)]
