"""Contention: whether a sample had to share processors, with whomever.

A sample is called disturbed when one of these is above its bound, the same for all:

wait   the share of its time in which some task was ready and waited for a processor (PSI,
       /proc/pressure/cpu, "some"). The subject's own tasks wait for one another as well, so it is
       contention and not others' work alone; where a sample starts several at once by design it
       does not count.
probe  the share of a processor that 5 ms of counting in this process did not get just before it
steal  the share of all processors that a hypervisor below gave to others while it ran, told in
       ticks of 10 ms: one tick is none yet

Disturbed samples are kept and counted: to drop them would be to choose. Without PSI there is no
`wait`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from time import monotonic_ns, thread_time_ns

from bench import processors

PATH = "/proc/pressure/cpu"
PROBE_NS = 5_000_000
WAIT, PROBE, STEAL = 0.20, 0.10, 0.02
RULE = (
    f"contention: while it ran, some task waited for a processor for more than {WAIT:.0%} of the"
    f" time (the subject's own tasks included; not counted where several start at once), or a"
    f" hypervisor took more than {STEAL:.0%} of the processors away; or just before it, a probe got"
    f" less than {1 - PROBE:.0%} of a processor"
)


def waited(path: str = PATH) -> float | None:
    """Seconds since boot in which some task waited for a processor; None without PSI."""
    try:
        with open(path, encoding="ascii") as pressure:
            return parse(pressure.read())
    except OSError:  # no such file, or PSI is compiled in and switched off
        return None


def parse(text: str) -> float:
    """The total of the line "some avg10=0.00 avg60=0.00 avg300=0.00 total=MICROSECONDS"."""
    some = next(line for line in text.splitlines() if line.startswith("some "))
    return int(some.rpartition("total=")[2]) / 1e6


def probe() -> float:
    """Which share of a processor this process did not get, just now."""
    began, used = monotonic_ns(), thread_time_ns()
    while monotonic_ns() - began < PROBE_NS:
        pass
    took = monotonic_ns() - began
    return max(0.0, 1 - (thread_time_ns() - used) / took)


@dataclass(frozen=True)
class Contention:
    """What a sample met; seconds but for `probe`. `busy_s` is all work of all processors."""

    took_s: float
    wait_s: float
    steal_s: float
    busy_s: float
    probe: float

    def disturbs(self, *, crowd: bool = False) -> bool:
        """Whether it is above a bound; a `crowd` waits for itself by design."""
        processors_s = self.took_s * (os.cpu_count() or 1)
        stolen = self.steal_s > 1.5 / processors.TICKS and self.steal_s > STEAL * processors_s
        waits = not crowd and self.wait_s > WAIT * self.took_s
        return stolen or waits or self.probe > PROBE

    def detail(self) -> dict[str, float]:
        return {
            "steal_s": round(self.steal_s, 3),
            "system_cpu_s": round(self.busy_s, 3),
            "probe": round(self.probe, 3),
        }


class Watch:
    """Begins to look when it is made; `contention` is what there was until then."""

    def __init__(self, probed: float) -> None:
        self._probed = probed
        self._used, self._waited, self._began = processors.used(), waited(), monotonic_ns()

    def contention(self) -> Contention:
        took_s, now, used = (monotonic_ns() - self._began) / 1e9, waited(), processors.used()
        wait_s = 0.0 if now is None or self._waited is None else now - self._waited
        steal_s, busy_s = used.steal - self._used.steal, used.busy - self._used.busy
        return Contention(took_s, wait_s, max(steal_s, 0.0), max(busy_s, 0.0), self._probed)
