"""What work costs that a processor does: a fixed amount of it, from its first line to its last.

cpu          integer operations                     memory    bytes copied between two buffers
interpreter  the same in a shell: branches, calls   syscalls  the shortest system call
                                                    switches  two processes hand over a byte

`cpu_s` is the processor time of the whole run, its start included, where that is known.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.metrics.metric import Reading
from bench.metrics.stamped import work
from bench.subject import VM
from bench.subjects.steps import Step
from bench.tree import PROGRAM

if TYPE_CHECKING:
    from typing import Any

    from bench.samples import Setting
    from bench.subject import Subject

LOOP = (
    "echo begin interpreter; i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done;"
    " echo end interpreter $i"
)
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
        """A step has what those before it have: of minirt's own, the last is measured."""
        if subject.family == VM:
            return full or setting["work"] in QUICK_OF_VMS
        if not full:
            return subject.name in QUICK.get(str(setting["work"]), ())
        return not isinstance(subject, Step) or subject.name.startswith("step6")

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        run = subject.run(argv(str(setting["work"])))
        done = work(run)
        detail: dict[str, Any] = {"work_s": done.seconds, "amount": done.amount}
        if run.cpu_s is not None:
            detail["cpu_s"] = run.cpu_s
        unit = UNITS[str(setting["work"])]
        return [Reading(done.seconds if unit == SECONDS else done.rate, unit, detail)]


def argv(kind: str) -> tuple[str, ...]:
    """The program; for the interpreter the image's shell, by a path that is no link."""
    return ("/bin/busybox", "sh", "-c", LOOP) if kind == "interpreter" else (PROGRAM, kind)
