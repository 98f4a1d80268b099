"""Memory of an instance that waits, with several of them at a time.

`value` is what one of them takes in processes: its private pages, and its part of the pages of
files that all of them share, counted whole and once (pages.py). Beside it, in the detail:

pss     the usual measure, each shared page divided by all its users on this machine: every other
        Python makes minirt smaller, this harness included
kernel  what the kernel's own memory (slab, kernel stacks, page tables, per-CPU) grew by on the
        whole machine, divided by the instances. Others' work is in it as well, so it is told of
        ten instances or more, and where it grew; None else, and `kernel_how` says why
cgroup  what a memory cgroup tells of its kernel memory, where there is one: it lacks the monitor,
        and the namespaces that were made before it was joined
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from bench import machine
from bench.metrics import pages
from bench.metrics.metric import Reading
from bench.subject import NONE, VM, plain_name
from bench.subjects.engines import Engine
from bench.subjects.steps import LAST, Compiling, Step
from bench.tree import PROGRAM
from minirt.errors import HostError
from minirt.vm import measure

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from bench.samples import Setting
    from bench.subject import Instance, Subject

IDLE = (PROGRAM, "idle")
AT_A_TIME = ((1, 10), (1, 10, 50))  # quick, full
FEWER_AT_A_TIME = (1, 10)  # VMs and engines, which start slowly, and steps but for the last
QUICK = {1: ("process", "step6-none"), 10: ("step6-none",)}
QUICK_OF_VMS = (1,)
KERNEL = ("Slab", "KernelStack", "PageTables", "Percpu")
ENOUGH = 10  # instances, among which others' work is divided
SETTLE_S = 0.2  # until those who started the last one have ended
GROWTH = "growth of the machine's Slab, KernelStack, PageTables and Percpu"


class Memory:
    name, title = "memory", "memory of an instance"
    seconds, least = (36.0, 900.0), 6

    def settings(self, *, full: bool) -> list[Setting]:
        return [{"instances": number} for number in AT_A_TIME[full]]

    def about(self, subject: Subject, setting: Setting, *, full: bool) -> bool:
        number = int(setting["instances"])
        if isinstance(subject, Compiling):  # the same once it runs
            return False
        if subject.family == VM:
            return number in (FEWER_AT_A_TIME if full else QUICK_OF_VMS) and (
                full or subject.network == NONE
            )
        if not full:
            return plain_name(subject) in QUICK.get(number, ())
        if isinstance(subject, Step) and subject.number < LAST:
            return number in FEWER_AT_A_TIME
        return not isinstance(subject, Engine) or number in FEWER_AT_A_TIME

    def take(self, subject: Subject, setting: Setting) -> list[Reading]:
        number = int(setting["instances"])
        before = kernel(meminfo())
        with contextlib.ExitStack() as stack:
            instances = launch(subject, number, stack)
            time.sleep(SETTLE_S)
            grown = kernel(meminfo()) - before
            pss = fmean(pss_of(instance) for instance in instances)
            found = pages.of(pid for instance in instances for pid in instance.pids())
            counted = [measure.kernel_bytes(instance.cgroup()) for instance in instances]
        detail: dict[str, Any] = {
            "pss": pss,
            "private": found.private / number,
            "shared_file": found.shared_file,
            **kernel_part(grown, number),
        }
        if told := [each for each in counted if each is not None]:
            detail["cgroup"] = fmean(told)
        return [Reading((found.private + found.shared_file) / number, "bytes", detail)]


def kernel_part(grown: int, number: int) -> dict[str, float | str | None]:
    """The kernel's memory for one of `number`, None where it cannot be told, and how."""
    if number < ENOUGH:
        return {"kernel": None, "kernel_how": f"not told of fewer than {ENOUGH} instances"}
    if grown <= 0:
        return {"kernel": None, "kernel_how": "others freed more than these took"}
    return {"kernel": grown / number, "kernel_how": GROWTH}


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
