"""Work that says where it begins and ends: the host stamps both lines when they arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from minirt.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Work:
    """`amount` is how much was done: steps, bytes, calls, as the work counts."""

    seconds: float
    amount: int

    @property
    def rate(self) -> float:
        return self.amount / self.seconds


def work(lines: Sequence[tuple[str, int]]) -> Work:
    """The one piece of work that `lines` (text, arrival in ns) are of; HostError without one."""
    begun = [at for text, at in lines if text.startswith("begin ")]
    ended = [(text, at) for text, at in lines if text.startswith("end ")]
    if len(begun) != 1 or len(ended) != 1:
        raise HostError(f"it did not say where it begins and ends: {[text for text, _ in lines]}")
    text, at = ended[0]
    if at <= begun[0]:
        raise HostError("its lines arrived together, so they tell no time")
    return Work((at - begun[0]) / 1e9, int(text.split()[2]))
