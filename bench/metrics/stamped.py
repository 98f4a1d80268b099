"""Work that says where it begins and ends: the host stamps both lines when they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from minirt.errors import HostError

if TYPE_CHECKING:
    from bench.subject import Run

COMMAND = "vm.command"  # the phase of a VM that its first line cannot be as early as


@dataclass(frozen=True)
class Work:
    """`amount` is how much was done: steps, bytes, calls, as the work counts.

    `cpu_s` is the processor time between the two lines: of the program, as it says itself, or of
    the whole QEMU where it runs in a VM.
    """

    seconds: float
    amount: int
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.amount / self.seconds


def work(run: Run) -> Work:
    """The one piece of work that the run's lines are of; HostError without one, or its times."""
    begun = [at for text, at in run.lines if text.startswith("begin ")]
    ended = [(text, at) for text, at in run.lines if text.startswith("end ")]
    if len(begun) != 1 or len(ended) != 1:
        texts = [text for text, _ in run.lines]
        raise HostError(f"it did not say where its work begins and ends, but {texts}")
    text, at = ended[0]
    if at <= begun[0] or run.phases.get(COMMAND, (0, 0))[0] == begun[0]:
        raise HostError("its lines have no times of their own, so they cannot tell the work's")
    _end, _name, amount, user, system = text.split()
    return Work((at - begun[0]) / 1e9, int(amount), _of_vm(run) or float(user) + float(system))


def _of_vm(run: Run) -> float:
    """What QEMU used from the first of the two lines to the last; 0.0 without one."""
    words = [text.split()[0] for text, _ in run.lines if text]
    return run.used[words.index("end")] - run.used[words.index("begin")] if run.used else 0.0
