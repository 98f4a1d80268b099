"""Measure all cells of a metric: interleaved, in random order, warm-up dropped, within its time.

The warm-up rounds also tell what a sample costs, so the number of samples is known, and said,
before the first one counts; what takes long has one of them only. What fails twice in warm-up is
absent, with its reason; other failures are kept, and a cell that fails three times in a row is
given up.
"""

from __future__ import annotations

import time
from time import monotonic_ns
from typing import TYPE_CHECKING

from bench import plan, pressure
from bench.samples import Absent, Sample
from minirt.errors import MinirtError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from bench.metrics.metric import Reading
    from bench.plan import Cell
    from bench.pressure import Contention
    from bench.progress import Bar
    from bench.samples import Writer

WARM_UP = 2
DEAR_S = 1.0  # what takes longer is warm after one round
ATTEMPTS, GIVE_UP = 2, 3


class Schedule:
    """Measures, and writes samples; `failures` are what went wrong, in warm-up as well."""

    def __init__(self, writer: Writer, random: Random, bar: Bar) -> None:
        self.writer = writer
        self.random = random
        self.bar = bar
        self.failures: list[dict[str, str | int]] = []

    def run(self, cells: Sequence[Cell], samples: int, budget_s: float) -> None:
        """Warm up, allot, and measure; all `cells` are of one metric. Warm-up is in the budget."""
        began = time.monotonic()
        if cells:
            self.bar.phase(f"{cells[0].metric.title}: warming up {len(cells)} cells")
        for number in range(-WARM_UP, 0):
            cells = [
                cell
                for cell in self.shuffled(cells)
                if cell.cost_s > DEAR_S or self.warm_up(cell, number)
            ]
        costs = [cell.cost_s for cell in cells]
        least = cells[0].metric.least if cells else 0
        left_s = budget_s - (time.monotonic() - began)
        counts = plan.allot(costs, samples, least, left_s)
        for cell, count in zip(cells, counts, strict=True):
            cell.count = count
        self.bar.plan(cells, plan.needs(costs, counts))
        for number, rank in enumerate(plan.ranks(samples)):
            self.round(number, [cell for cell in cells if rank < cell.count])
        self.bar.done()

    def shuffled(self, cells: Sequence[Cell]) -> list[Cell]:
        return self.random.sample(cells, len(cells))

    def warm_up(self, cell: Cell, number: int) -> bool:
        """Take a sample that does not count; False when two attempts fail: it is left out."""
        self.bar.warming(cell)
        failed: list[dict[str, str | int]] = []
        for _attempt in range(ATTEMPTS):
            began = monotonic_ns()
            try:
                self.take(cell, number)
            except (MinirtError, TimeoutError) as error:
                failed.append(failure(cell, number, str(error)))
            else:
                cell.cost_s = (monotonic_ns() - began) / 1e9
                self.failures += failed
                return True
        why = str(failed[-1]["why"])
        self.writer.add(Absent(cell.subject.name, why, cell.metric.name))
        self.bar.say(f"left out: {cell.subject.label}, {cell.metric.title}: {why}")
        return False

    def round(self, number: int, cells: Sequence[Cell]) -> None:
        for cell in self.shuffled(cells):
            if cell.failures >= GIVE_UP:
                continue
            self.bar.step(cell)
            try:
                samples = self.take(cell, number)
            except (MinirtError, TimeoutError) as error:
                self.fail(cell, number, str(error))
            else:
                cell.failures = 0
                for sample in samples:
                    self.writer.add(sample)

    def fail(self, cell: Cell, number: int, why: str) -> None:
        cell.failures += 1
        self.failures.append(failure(cell, number, why))
        if cell.failures == GIVE_UP:
            name, metric = cell.subject.name, cell.metric.name
            self.writer.add(Absent(name, f"{why} ({GIVE_UP} times in a row)", metric))
            self.bar.say(f"given up: {cell.subject.label}, {cell.metric.title}: {why}")

    def take(self, cell: Cell, number: int) -> list[Sample]:
        """Measure a cell once: the probe, then the gap, so that the probe does not end it."""
        probed = pressure.probe()
        time.sleep(cell.gap_s)
        watch = pressure.Watch(probed)
        readings = cell.metric.take(cell.subject, cell.setting)
        met = watch.contention()
        return [sample(cell, each, number, met) for each in readings]


def failure(cell: Cell, number: int, why: str) -> dict[str, str | int]:
    """What the footer keeps of it; the rounds of the warm-up are negative."""
    name, metric = cell.subject.name, cell.metric.name
    return {"subject": name, "metric": metric, "round": number, "why": why}


def sample(cell: Cell, reading: Reading, number: int, met: Contention) -> Sample:
    return Sample(
        cell.metric.name,
        cell.subject.name,
        reading.value,
        reading.unit,
        number,
        {**cell.setting, **reading.setting},
        {**reading.detail, **met.detail()},
        round(met.wait_s, 6),
        met.disturbs(crowd=cell.crowd),
    )
