"""How fast this machine's time stamp counter runs, which an emulated guest must be told.

QEMU's microvm has no timer to measure it by: its kernel would measure in a loop that emulation
disturbs, fail at random, and then wait for its first tick for ever. A wrong rate does not stop
the guest, but makes its clock as wrong. Stamps of minirt's own are taken on the host.
"""

from __future__ import annotations

import os
import re

CPU = "/sys/devices/system/cpu/cpu0"


def tsc_khz(cpuinfo: str, sysfs: str = CPU) -> int:
    """The counter's rate in kHz from /proc/cpuinfo's text and sysfs; 0 when nothing tells it.

    Inside a VM, "cpu MHz" is the counter's rate. On bare metal it is what the processor runs at
    just now, and the nominal frequency is nearer.
    """
    now = re.search(r"^cpu MHz\s*: ([\d.]+)", cpuinfo, re.MULTILINE)
    current = round(float(now[1]) * 1000) if now else 0
    if re.search(r"^flags\s*:.*\bhypervisor\b", cpuinfo, re.MULTILINE):
        return current
    named = re.search(r"^model name\s*:.* @ ([\d.]+)GHz", cpuinfo, re.MULTILINE)
    return (
        _number(f"{sysfs}/cpufreq/base_frequency")
        or (round(float(named[1]) * 1_000_000) if named else 0)
        or _number(f"{sysfs}/acpi_cppc/nominal_freq") * 1000
        or current
    )


def _number(path: str) -> int:
    if not os.path.exists(path):
        return 0
    with open(path, encoding="ascii") as file:
        return int(file.read())
