"""How much others disturbed a sample.

The kernel counts the time in which some task was ready and waited for a processor (PSI,
/proc/pressure/cpu, "some"). A sample is called disturbed when

1. that share of its time is 10 points above what is usual for its cell: the lower quartile of the
   cell's samples so far, warm-up included, since many subjects wait for themselves; or
2. the probe before its round, 10 ms of counting in this process, got less than 90 % of a
   processor.

Disturbed samples are kept and counted: to drop them would be to choose. Without PSI only the
second rule is left.
"""

from __future__ import annotations

from time import monotonic_ns, thread_time_ns

RULE = (
    "some task waited for a processor for 10 points more of its time than is usual for its cell,"
    " or a probe before its round got less than 90 % of a processor"
)
PATH = "/proc/pressure/cpu"
TOLERANCE = 0.10
PROBE_NS = 10_000_000
HISTORY = 4  # fewer samples have no quartile


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


class Usual:
    """What one cell's samples wait for a processor, as a share of their time."""

    def __init__(self) -> None:
        self._shares: list[float] = []

    def exceeds(self, pressure_s: float, took_s: float) -> bool:
        """Whether a new sample waited more than is usual here; it counts from now on."""
        share = pressure_s / took_s if took_s > 0 else 0.0
        self._shares.append(share)
        if len(self._shares) < HISTORY:
            return False
        return share > sorted(self._shares)[len(self._shares) // 4] + TOLERANCE
