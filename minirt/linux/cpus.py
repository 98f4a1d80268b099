"""Lists of CPUs, as cpuset(7) writes them: "0-3,7"."""

from __future__ import annotations

MOST = 8192  # what the largest kernels are built for (NR_CPUS)


def parse(text: str) -> frozenset[int]:
    """The CPUs in a list; ValueError with the part of it that is wrong."""
    found: set[int] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, dash, last = part.partition("-")
        if not (first.isdecimal() and (last.isdecimal() or not dash)):
            raise ValueError(part)
        numbers = range(int(first), int(last or first) + 1)
        if not numbers or numbers[-1] >= MOST:
            raise ValueError(part)
        found.update(numbers)
    return frozenset(found)
