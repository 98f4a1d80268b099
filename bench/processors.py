"""What all processors did since boot, as /proc/stat counts it: in ticks of 10 ms, mostly.

The steal is what a hypervisor below gave to others while this machine had something to run.
"""

from __future__ import annotations

import os
from typing import NamedTuple

PATH = "/proc/stat"
TICKS = os.sysconf("SC_CLK_TCK")


class Used(NamedTuple):
    """Seconds: `busy` in tasks, the kernel's own and interrupts included; and stolen ones."""

    busy: float
    steal: float


def used(path: str = PATH) -> Used:
    with open(path, encoding="ascii") as stat:
        return parse(stat.readline())


def parse(line: str) -> Used:
    """The line "cpu USER NICE SYSTEM IDLE IOWAIT IRQ SOFTIRQ STEAL ..." (proc_stat(5))."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, line.split()[1:9])
    return Used((user + nice + system + irq + softirq) / TICKS, steal / TICKS)
