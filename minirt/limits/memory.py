"""linux.resources.memory: how much memory and swap.

In OCI, as in version 1, `swap` is memory and swap together; in version 2 it is swap alone. The
limit on the kernel's own memory (`kernel`) is no more in any kernel since 6.1, and is ignored.
"""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.limits.ranges import UNLIMITED, within

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.limits.ranges import Settings
    from minirt.reader import Reader

MOST_SWAPPINESS = 100


def version_1(memory: Reader) -> Settings:
    limit, swap = _limit_and_swap(memory)
    numbers = [
        ("memory.limit_in_bytes", limit),
        ("memory.soft_limit_in_bytes", within(memory, "reservation", UNLIMITED)),
        # A limit that is taken away takes along the one on both together.
        ("memory.memsw.limit_in_bytes", swap or min(limit, 0)),
        ("memory.use_hierarchy", int(memory.flag("useHierarchy"))),
    ]
    return [(file, str(number)) for file, number in numbers if number] + _version_1_alone(memory)


def version_2(memory: Reader) -> Settings:
    limit, swap = _limit_and_swap(memory)
    reservation = within(memory, "reservation", UNLIMITED)
    files = []
    if limit:
        files.append(("memory.max", _or_max(limit)))
    if reservation:
        files.append(("memory.low", _or_max(reservation)))
    if swap > 0 and limit <= 0:
        raise ConfigError(
            "is memory and swap together, and without a limit on memory says nothing of swap",
            pointer=memory.where("swap"),
            hint="set limit too",
        )
    if swap or limit < 0:
        files.append(("memory.swap.max", _or_max(swap - limit if swap > 0 else UNLIMITED)))
    return files + _version_1_alone(memory)


def _limit_and_swap(memory: Reader) -> tuple[int, int]:
    limit, swap = within(memory, "limit", UNLIMITED), within(memory, "swap", UNLIMITED)
    if 0 < swap < limit:
        raise ConfigError(
            f"{swap} is memory and swap together, and less than the limit {limit}",
            pointer=memory.where("swap"),
        )
    return limit, swap


def _version_1_alone(memory: Reader) -> Settings:
    """Version 2 has no such files, so that they cannot be written is said there."""
    files = []
    if within(memory, "kernelTCP", UNLIMITED):
        files.append(("memory.kmem.tcp.limit_in_bytes", str(memory.number("kernelTCP"))))
    if "swappiness" in memory.value:
        swappiness = within(memory, "swappiness", 0, MOST_SWAPPINESS)
        files.append(("memory.swappiness", str(swappiness)))
    if memory.flag("disableOOMKiller"):
        files.append(("memory.oom_control", "1"))
    return files


def _or_max(value: int) -> str:
    return str(value) if value >= 0 else "max"
