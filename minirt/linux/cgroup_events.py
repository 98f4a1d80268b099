"""What a cgroup counted: kills for want of memory, waiting for CPU time, refused forks."""

from __future__ import annotations

from minirt.linux.cgroupfs import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NS_PER_US = 1000
US_PER_MS = 1000
MIB = 1 << 20


def events(directories: Iterable[str]) -> dict[str, int]:
    """The counts of the cgroups in which one container lives; read it before they are removed.

    oom_kills          processes killed because the memory limit was reached
    throttled_us       for how long its runnable threads had to wait for the next CPU period,
    throttled_periods  and in how many periods that happened
    memory_peak        the most memory it had, bytes
    pids_max_hits      forks refused by the limit on processes

    A count that this kernel does not keep is missing.
    """
    counts: dict[str, int | None] = {}
    for directory in directories:
        cpu, pids = _table(directory, "cpu.stat"), _table(directory, "pids.events")
        memory = _table(directory, "memory.oom_control") or _table(directory, "memory.events")
        if "nr_throttled" in cpu:
            counts["throttled_periods"] = cpu["nr_throttled"]
            waited_us = cpu.get("throttled_time", 0) // NS_PER_US  # version 1 counts in ns
            counts["throttled_us"] = cpu.get("throttled_usec", waited_us)
        if memory:
            counts["oom_kills"] = memory.get("oom_kill")
            peak = read(directory, "memory.max_usage_in_bytes") or read(directory, "memory.peak")
            counts["memory_peak"] = int(peak) if peak else None
        if pids:
            counts["pids_max_hits"] = pids.get("max")
    return {name: count for name, count in counts.items() if count is not None}


def in_words(counts: Mapping[str, int]) -> list[str]:
    """What a person should know of the counts: one sentence for each limit that was reached."""
    sentences = []
    if counts.get("oom_kills"):
        peak = counts.get("memory_peak", 0) / MIB
        sentences.append(
            f"out of memory (OOM): the kernel killed {counts['oom_kills']} process(es) when the "
            f"container reached its memory limit; it had {peak:.0f} MiB"
        )
    if counts.get("throttled_us"):
        waited_ms = counts["throttled_us"] / US_PER_MS
        sentences.append(
            f"throttled: it used up its CPU time in {counts['throttled_periods']} periods, and "
            f"waited {waited_ms:.0f} ms in all for the next"
        )
    if counts.get("pids_max_hits"):
        sentences.append(
            f"the limit on processes was reached: {counts['pids_max_hits']} fork(s) refused"
        )
    return sentences


def _table(directory: str, file: str) -> dict[str, int]:
    """A file of "key number" lines; {} where the kernel has no such file."""
    lines = (line.split() for line in read(directory, file).splitlines())
    return {fields[0]: int(fields[1]) for fields in lines}
