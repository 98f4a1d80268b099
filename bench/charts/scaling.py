"""What happens with more of them: memory against instances, a burst's rate against its size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench import findings, stats, units
from bench.cells import PROCESS
from bench.charts.chart import Chart, Missing, caption, figure, inline, log_axis, tick
from bench.charts.style import look
from bench.table import Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from bench.cells import Cells
    from bench.stats import Interval


@dataclass(frozen=True)
class Scaling:
    """A metric against a number of its setting."""

    metric: str
    across: str  # the name in the setting
    unit: str
    topic: str
    words: str
    x: str
    y: str


MEMORY = Scaling(
    "memory", "instances", "bytes", "Memory",
    "takes in processes {} times the memory of", "instances at a time",
    "memory of each one's processes",
)  # fmt: skip
STARTS = Scaling(
    "starts", "at_once", "1/s", "Scale-out: bursts",
    "starts at {} times the rate of", "starts at once", "rate of the burst",
)  # fmt: skip
KERNEL_APART = (
    "; the kernel's memory is in the table only, where the machine's growth tells it at all"
)
Points = dict[float, "Interval"]


def memory(cells: Cells) -> list[Chart | Missing]:
    return _charts(cells, MEMORY)


def starts(cells: Cells) -> list[Chart | Missing]:
    return _charts(cells, STARTS)


def _charts(cells: Cells, of: Scaling) -> list[Chart | Missing]:
    found = {s: _points(cells, of, s) for s in cells.subjects(of.metric)}
    found = {s: points for s, points in found.items() if points}
    if not found:
        return [Missing(of.metric, of.topic, f"no subject has samples of {of.metric}")]
    numbers = sorted({x for points in found.values() for x in points})
    title = _title(cells, of)
    about = (
        f"{of.y.capitalize()} against the number of {of.x}, for {len(found)} subjects, "
        "both axes logarithmic; medians with 95 % intervals."
    )
    with figure(3.7) as picture:
        axes = picture.subplots()
        for subject in sorted(found, key=lambda s: -_last(found[s]).value):
            _line(axes, subject, found[subject], findings.name(cells, subject))
        _axes(axes, of, found, numbers)
        picture.legend(loc="outside right upper", fontsize=8.5, handlelength=2.6)
        svg = inline(picture, of.metric, title, about)
    head = ["subject", *(f"{x:g}" for x in numbers)]
    rows = [
        [findings.name(cells, s), *(_cell(points.get(x), of.unit) for x in numbers)]
        for s, points in found.items()
    ]
    if of is MEMORY:
        kernels = [x for x in numbers if any(_kernel(cells, s, x) for s in found)]
        head += [f"{x:g}: the kernel's" for x in kernels]
        rows = [
            [*row, *(_cell(_kernel(cells, s, x), of.unit) for x in kernels)]
            for row, s in zip(rows, found, strict=True)
        ]
    table = Table(f"{of.y} against {of.x}: median [95 % interval]".capitalize(), head, rows)
    counts = [point.n for points in found.values() for point in points.values()]
    note = caption(cells, found, counts)
    note += findings.besides(cells, of.metric)
    note += _ceiling(cells, found) if of is STARTS else KERNEL_APART
    return [Chart(of.metric, of.topic, title, about, note, svg, table)]


def _kernel(cells: Cells, subject: str, instances: float) -> Interval | None:
    """What the machine's kernel memory grew by for each instance, of the samples that tell it."""
    series = cells.of_detail(MEMORY.metric, subject, {MEMORY.across: instances}, "kernel")
    return stats.median(series) if series else None


def _ceiling(cells: Cells, found: dict[str, Points]) -> str:
    """What a rate can be at most here: the harness is a process too, and starts them all."""
    note = "; a burst is requested at once and is over with the last first line: no lasting rate"
    if PROCESS not in found:
        return f"{note}; the harness's own ceiling was not measured"
    return f"{note}; the ceiling of the harness is the line of {cells.label(PROCESS)}"


def _points(cells: Cells, of: Scaling, subject: str) -> Points:
    found = {}
    for setting in cells.settings(of.metric):
        x = setting.get(of.across)
        series = cells.exact(of.metric, subject, setting)
        if isinstance(x, (int, float)) and x > 0 and series and min(stats.values(series)) > 0:
            found[float(x)] = stats.median(series)
    return found


def _title(cells: Cells, of: Scaling) -> str:
    pair = findings.pair(cells, of.metric)
    found = findings.between(cells, of.metric, *pair) if pair else None
    words = findings.sentence(cells, found, of.words) if found else ""
    if found is None or not words:
        return f"{of.y} against the number of {of.x}".capitalize()
    return f"{words}, {found.setting[of.across]} {of.x}"


def _line(axes: Axes, subject: str, points: Points, label: str) -> None:
    colour, marker, line = look(subject)
    x = sorted(points)
    middle = np.array([points[n].value for n in x])
    known = [points[n] if points[n].known else None for n in x]
    below = [m - p.low if p else 0 for m, p in zip(middle, known, strict=True)]
    above = [p.high - m if p else 0 for m, p in zip(middle, known, strict=True)]
    axes.errorbar(x, middle, yerr=np.clip(np.array([below, above]), 0, None), color=colour,
                  marker=marker, linestyle=line, label=label, capsize=2)  # fmt: skip


def _axes(axes: Axes, of: Scaling, found: dict[str, Points], numbers: list[float]) -> None:
    values = [point.value for points in found.values() for point in points.values()]
    log_axis(axes, min(values) / 1.6, max(values) * 1.6, of.unit, along="y")
    log_axis(axes, numbers[0] / 1.3, numbers[-1] * 1.3, "")
    axes.set_xticks(numbers, [tick(x, "") for x in numbers])
    axes.set_xlabel(of.x)
    axes.set_ylabel(of.y)


def _last(points: Points) -> Interval:
    return points[max(points)]


def _cell(point: Interval | None, unit: str) -> str:
    return units.interval(point, unit) if point else "not measured"
