"""Scheduling: when the process may run, and when it may use a disk (sched(7), ioprio_set(2)).

Set from the host: inside a user namespace nobody may ask for more than they have.
"""

from __future__ import annotations

from minirt.linux.scheduling import io_class_name, ioprio_set, policy_name, sched_setattr
from minirt.mechanism import Mechanism

TYPE_CHECKING = False
if TYPE_CHECKING:
    from minirt.context import Context
    from minirt.linux.scheduling import IoPriority, Scheduler


class Scheduling(Mechanism):
    """A policy for the CPU, a class and level for disks; None leaves what the caller has."""

    name = "scheduling"

    def __init__(self, scheduler: Scheduler | None, io_priority: IoPriority | None) -> None:
        self.scheduler = scheduler
        self.io_priority = io_priority

    def attach(self, ctx: Context) -> None:
        if self.scheduler is not None:
            sched_setattr(ctx.pid, self.scheduler)
        if self.io_priority is not None:
            ioprio_set(ctx.pid, self.io_priority)

    def describe(self) -> str:
        shown = [policy_name(self.scheduler.policy)] if self.scheduler else []
        if self.io_priority:
            shown.append(f"{io_class_name(self.io_priority[0])} {self.io_priority[1]}")
        return f"scheduling: {', '.join(shown)}"
