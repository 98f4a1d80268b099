"""`process.scheduler` and `process.ioPriority`: when the kernel lets the process run."""

from __future__ import annotations

from minirt.errors import ConfigError
from minirt.linux.scheduling import FLAGS, IO_CLASSES, POLICIES, IoPriority, Scheduler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from minirt.reader import Reader

IO_LEVELS = 8
TIMES = ("runtime", "deadline", "period")


def scheduler(given: Reader) -> Scheduler:
    """What sched_setattr(2) is to set."""
    found = Scheduler(_one_of(given, "policy", POLICIES))
    found.nice = given.number("nice")
    found.priority = _unsigned(given, "priority", bits=32)
    found.runtime, found.deadline, found.period = (_unsigned(given, name) for name in TIMES)
    for index, flag in enumerate(given.texts("flags")):
        if flag not in FLAGS:
            pointer = f"{given.where('flags')}/{index}"
            raise ConfigError(f'"{flag}" is not one of {", ".join(FLAGS)}', pointer=pointer)
        found.flags |= FLAGS[flag]
    _check(given, found)
    return found


def _unsigned(given: Reader, name: str, bits: int = 64) -> int:
    """A number that the kernel has in so many bits: ctypes would cut it."""
    number = given.number(name)
    if not 0 <= number < 1 << bits:
        what = f"must lie between 0 and {(1 << bits) - 1}"
        raise ConfigError(what, pointer=given.where(name))
    return number


def _check(given: Reader, found: Scheduler) -> None:
    if not -20 <= found.nice <= 19:
        raise ConfigError("must lie between -20 and 19", pointer=given.where("nice"))
    real_time = found.policy in (POLICIES["SCHED_FIFO"], POLICIES["SCHED_RR"])
    if found.priority and not real_time:
        what = "is for SCHED_FIFO and SCHED_RR alone"
        raise ConfigError(what, pointer=given.where("priority"), hint="leave it out")
    if found.policy != POLICIES["SCHED_DEADLINE"]:
        for name in TIMES:
            if getattr(found, name):
                what = "is for SCHED_DEADLINE alone"
                raise ConfigError(what, pointer=given.where(name), hint="leave it out")


def io_priority(given: Reader) -> IoPriority:
    """(class, level) for ioprio_set(2)."""
    level = given.number("priority")
    if not 0 <= level < IO_LEVELS:
        what = f"must lie between 0 and {IO_LEVELS - 1}"
        raise ConfigError(what, pointer=given.where("priority"))
    return _one_of(given, "class", IO_CLASSES), level


def _one_of(given: Reader, name: str, table: Mapping[str, int]) -> int:
    text = given.text(name)
    if text not in table:
        raise ConfigError(f'"{text}" is not one of {", ".join(table)}', pointer=given.where(name))
    return table[text]
