"""Memory of an instance that waits, with several of them at a time: theirs and the kernel's.

pss     the memory of all processes that belong to it, each shared page divided by its users
kernel  what the kernel's own memory (slab, kernel stacks, page tables, per-CPU) grew by on the
        whole machine while they were started, divided by their number

The kernel's is counted in the same way for all subjects. A cgroup counts more exactly, but not all
subjects have one, and none has its monitor, its VMM and the namespaces that were made before it
was joined: where there is one, what it tells of its last process is in the detail, as `cgroup`.
Others' work is in the growth as well: one instance alone shows it.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from bench import machine
from bench.metrics.metric import Reading
from bench.subject import VM
from bench.subjects.engines import Engine
from bench.subjects.steps import Step
from bench.tree import PROGRAM
from minirt.errors import HostError
from minirt.vm import measure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.samples import Setting
    from bench.subject import Instance, Subject

IDLE = (PROGRAM, "idle")
AT_A_TIME = ((1, 10), (1, 10, 50))  # quick, full
FEWER_AT_A_TIME = (1, 10)  # VMs and engines, which start slowly, and steps but for the last
LAST_STEP = 6
QUICK = {1: ("process", "step6-none"), 10: ("step6-none",)}  # and a VM
KERNEL = ("Slab", "KernelStack", "PageTables", "Percpu")
SETTLE_S = 0.2  # until those who started the last one have ended
GROWTH = "growth of the machine's Slab, KernelStack, PageTables and Percpu"


class Memory:
    name, title = "memory", "memory of an instance"
    seconds, least = (38.0, 900.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"instances": number} for number in AT_A_TIME[full]]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        number = int(setting["instances"])
        if subject.family == VM:
            return number in (FEWER_AT_A_TIME if full else (1,))
        if not full:
            return subject.name in QUICK[number]
        if isinstance(subject, Step) and subject.number < LAST_STEP:
            return number in FEWER_AT_A_TIME
        return not isinstance(subject, Engine) or number in FEWER_AT_A_TIME

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        number = int(setting["instances"])
        before = kernel(meminfo())
        with contextlib.ExitStack() as stack:
            instances = launch(subject, number, stack)
            time.sleep(SETTLE_S)
            grown = (kernel(meminfo()) - before) / number
            pss = fmean(pss_of(instance) for instance in instances)
            counted = [measure.kernel_bytes(instance.cgroup()) for instance in instances]
        detail = {"pss": pss, "kernel": grown, "kernel_how": GROWTH}
        if told := [each for each in counted if each is not None]:
            detail["cgroup"] = fmean(told)
        return [Reading(pss + grown, "bytes", detail)]


def launch(subject: Subject, number: int, stack: contextlib.ExitStack) -> Sequence[Instance]:
    """So many instances until the end of `stack`; HostError when half of the memory is used up."""
    before = available()
    instances: list[Instance] = []
    while len(instances) < number:
        if available() < before / 2:
            raise HostError(f"only {len(instances)} of {number} fit in half of the free memory")
        instances.append(stack.enter_context(subject.launch(IDLE)))
    return instances


def pss_of(instance: Instance) -> int:
    """HostError when nothing is told: 0 would be a wrong figure."""
    found = measure.pss_bytes(instance.pids())
    if not found:
        raise HostError("its processes do not tell their memory to this user", hint="run as root")
    return found


def meminfo() -> dict[str, int]:
    return machine.meminfo(Path("/proc/meminfo").read_text(encoding="ascii"))


def available() -> int:
    """The memory that programs could get without swapping, in bytes."""
    return meminfo()["MemAvailable"]


def kernel(found: dict[str, int]) -> int:
    """The kernel's own memory, in bytes, of /proc/meminfo's fields."""
    return sum(found.get(name, 0) for name in KERNEL)
