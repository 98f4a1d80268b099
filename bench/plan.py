"""How often each cell is measured, and in which rounds, so that the time budget holds.

A cell is one subject measured with one metric in one setting. In each round all cells that take
part are measured once, in random order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.metrics.metric import IDLE_S
from bench.samples import Absent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.metrics import Metric
    from bench.samples import Setting
    from bench.subject import Subject


SKIPPED = "not in a quick run; --full has it"


@dataclass
class Cell:
    """`cost_s` is what one sample took in the last warm-up round, its gap included."""

    metric: Metric
    subject: Subject
    setting: Setting
    cost_s: float = 0.0
    count: int = 0
    failures: int = 0

    @property
    def gap_s(self) -> float:
        return float(self.setting.get("gap_s", IDLE_S))

    @property
    def crowd(self) -> bool:
        """Whether several are started at once, and wait for one another."""
        return int(self.setting.get("at_once", 1)) > 1


def cells(metric: Metric, subjects: Sequence[Subject], *, full: bool) -> list[Cell]:
    """What there is to measure with `metric`."""
    return [
        Cell(metric, subject, setting)
        for setting in metric.settings(full=full)
        for subject in subjects
        if metric.about(subject, setting, full=full)
    ]


def left_out(metric: Metric, subjects: Sequence[Subject]) -> list[Absent]:
    """The subjects of which a quick run measures nothing with `metric`, and a full one would."""
    quick, more = ({cell.subject.name for cell in cells(metric, subjects, full=full)}
                   for full in (False, True))  # fmt: skip
    skipped = (subject.name for subject in subjects if subject.name in more - quick)
    return [Absent(name, SKIPPED, metric.name) for name in skipped]


def allot(costs: Sequence[float], samples: int, least: int, budget_s: float) -> list[int]:
    """How many samples each cell gets: `samples`, less for the dear ones if time is short.

    All get the same time at most, as much as the budget allows; but never less than `least`
    samples, even where that exceeds the budget.
    """
    least = min(least, samples)

    def counts(share_s: float) -> list[int]:
        return [samples if cost <= 0 else clamp(int(share_s / cost)) for cost in costs]

    def clamp(count: int) -> int:
        return max(least, min(samples, count))

    low, high = 0.0, max(costs, default=0.0) * samples
    if needs(costs, counts(high)) <= budget_s:
        return [samples for _ in costs]
    for _ in range(40):  # halves the interval: more than precise enough
        middle = (low + high) / 2
        low, high = (middle, high) if needs(costs, counts(middle)) <= budget_s else (low, middle)
    return counts(low)


def needs(costs: Sequence[float], counts: Sequence[int]) -> float:
    """Seconds for so many samples of so much."""
    return sum(cost * count for cost, count in zip(costs, counts, strict=True))


def ranks(rounds: int) -> list[int]:
    """For each round its rank: a cell with `n` samples takes part where the rank is below n.

    Ranks go by the round's number with its bits reversed, so any n rounds are spread evenly, and
    those of a rare cell are a part of those of a frequent one: what is compared is paired.
    """
    width = max(rounds - 1, 1).bit_length()
    order = sorted(range(rounds), key=lambda number: int(f"{number:0{width}b}"[::-1], 2))
    ranked = [0] * rounds
    for rank, number in enumerate(order):
        ranked[number] = rank
    return ranked
