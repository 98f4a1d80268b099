"""When a process may run, and when it may use a disk: sched_setattr(2), ioprio_set(2)."""

from __future__ import annotations

from minirt.linux import ffi
from minirt.linux.calls import MACHINE, NUMBERS, check

NUMBERS.update(
    {
        "x86_64": {"sched_setattr": 314, "ioprio_set": 251},
        "aarch64": {"sched_setattr": 274, "ioprio_set": 30},
    }.get(MACHINE, {})
)
POLICIES = {
    "SCHED_OTHER": 0, "SCHED_FIFO": 1, "SCHED_RR": 2, "SCHED_BATCH": 3, "SCHED_ISO": 4,
    "SCHED_IDLE": 5, "SCHED_DEADLINE": 6,
}  # fmt: skip
FLAGS = {
    "SCHED_FLAG_RESET_ON_FORK": 0x01, "SCHED_FLAG_RECLAIM": 0x02, "SCHED_FLAG_DL_OVERRUN": 0x04,
    "SCHED_FLAG_KEEP_POLICY": 0x08, "SCHED_FLAG_KEEP_PARAMS": 0x10,
    "SCHED_FLAG_UTIL_CLAMP_MIN": 0x20, "SCHED_FLAG_UTIL_CLAMP_MAX": 0x40,
}  # fmt: skip
IO_CLASSES = {"IOPRIO_CLASS_RT": 1, "IOPRIO_CLASS_BE": 2, "IOPRIO_CLASS_IDLE": 3}
IOPRIO_WHO_PROCESS, IOPRIO_CLASS_SHIFT = 1, 13
IoPriority = tuple[int, int]


class Attributes(ffi.Structure):
    """struct sched_attr of sched_setattr(2), its first version."""

    _fields_ = [
        ("size", ffi.c_uint32), ("policy", ffi.c_uint32), ("flags", ffi.c_uint64),
        ("nice", ffi.c_int), ("priority", ffi.c_uint32), ("runtime", ffi.c_uint64),
        ("deadline", ffi.c_uint64), ("period", ffi.c_uint64),
    ]  # fmt: skip


class Scheduler:
    """A policy and what belongs to it; times in ns."""

    __slots__ = ("deadline", "flags", "nice", "period", "policy", "priority", "runtime")

    def __init__(self, policy: int) -> None:
        self.policy = policy
        self.flags = self.nice = self.priority = 0
        self.runtime = self.deadline = self.period = 0


def sched_setattr(pid: int, wanted: Scheduler) -> None:
    """Change how process `pid` is scheduled."""
    attributes = Attributes(
        ffi.sizeof(Attributes), wanted.policy, wanted.flags, wanted.nice, wanted.priority,
        wanted.runtime, wanted.deadline, wanted.period,
    )  # fmt: skip
    name = policy_name(wanted.policy)
    shown = f"{pid}, {{{name}, nice {wanted.nice}, priority {wanted.priority}}}"
    what = "cannot set how the container is scheduled"
    check("sched_setattr", pid, attributes, 0, what=what, shown=shown)


def ioprio_set(pid: int, wanted: IoPriority) -> None:
    """Change the priority that process `pid` has at a disk."""
    kind, level = wanted
    value = kind << IOPRIO_CLASS_SHIFT | level
    what = "cannot set the container's priority at disks"
    shown = f"IOPRIO_WHO_PROCESS, {pid}, {io_class_name(kind)}|{level}"
    check("ioprio_set", IOPRIO_WHO_PROCESS, pid, value, what=what, shown=shown)


def policy_name(policy: int) -> str:
    """The name of a policy: SCHED_FIFO is 1."""
    return next(name for name, number in POLICIES.items() if number == policy)


def io_class_name(kind: int) -> str:
    """The name of a class: IOPRIO_CLASS_RT is 1."""
    return next(name for name, number in IO_CLASSES.items() if number == kind)
