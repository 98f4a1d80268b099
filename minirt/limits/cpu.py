"""linux.resources.cpu: how much processor time, and on which processors."""

from __future__ import annotations

from minirt.limits.ranges import MOST_UNSIGNED, UNLIMITED, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.limits.ranges import Settings
    from minirt.reader import Reader

PERIOD_US = 100_000
# Version 2 has no such files, so that they cannot be written is said there.
REALTIME = (("realtimePeriod", "cpu.rt_period_us"), ("realtimeRuntime", "cpu.rt_runtime_us"))


def version_1(cpu: Reader) -> Settings:
    quota = within(cpu, "quota", UNLIMITED)
    numbers = [
        ("cpu.shares", within(cpu, "shares", 0, MOST_UNSIGNED)),
        ("cpu.cfs_period_us", within(cpu, "period", 0)),
        ("cpu.cfs_quota_us", quota),
        ("cpu.cfs_burst_us", within(cpu, "burst", 0)),
    ]
    return [(file, str(number)) for file, number in numbers if number] + _both(cpu)


def version_2(cpu: Reader) -> Settings:
    files = []
    shares = within(cpu, "shares", 0, MOST_UNSIGNED)
    if shares:
        files.append(("cpu.weight", str(weight(shares))))
    quota, period = within(cpu, "quota", UNLIMITED), within(cpu, "period", 0)
    if quota or period:
        files.append(("cpu.max", f"{quota if quota > 0 else 'max'} {period or PERIOD_US}"))
    if within(cpu, "burst", 0):
        files.append(("cpu.max.burst", str(cpu.number("burst"))))
    return files + _both(cpu)


def _both(cpu: Reader) -> Settings:
    files = [(file, str(within(cpu, name, UNLIMITED))) for name, file in REALTIME]
    idle = [("cpu.idle", str(within(cpu, "idle", 0, 1)))] if "idle" in cpu.value else []
    return [(file, value) for file, value in files if value != "0"] + idle


def weight(shares: int) -> int:
    """cpu.shares (2 to 262144, usually 1024) as cpu.weight (1 to 10000, usually 100).

    The curve through (2, 1), (1024, 100) and (262144, 10000) that runc and crun use.
    """
    from math import ceil, log2

    if shares <= 2:
        return 1
    if shares >= 262_144:
        return 10_000
    exponent = log2(shares)
    return ceil(10 ** ((exponent * exponent + 125 * exponent) / 612 - 7 / 34))


def sets(cpu: Reader) -> Settings:
    """The controller cpuset: the same files in both versions."""
    names = (("cpus", "cpuset.cpus"), ("mems", "cpuset.mems"))
    return [(file, cpu.text(name)) for name, file in names if cpu.text(name)]
